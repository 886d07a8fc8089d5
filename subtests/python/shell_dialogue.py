"""A program in the guest asks questions, and gets answers to what it asked."""

QUESTIONS = r"""sh -c 'printf "name? "; read name; printf "really %s (yes/no)? " "$name"; read yes
[ "$yes" = yes ] && echo "welcome, $name" || echo "then not"'"""

WAIT = 30.0


def run_shell_dialogue(test, params, env):
    vm = env.get_living_vm(params["main_vm"])
    session = vm.wait_for_login(params.get_duration("login_timeout"))
    for answer, expected in [("yes", "welcome, guest"), ("no", "then not")]:
        session.sendline(QUESTIONS)
        session.read_until_last_line_matches(r"name\? $", WAIT)
        session.sendline("guest")
        index, _ = session.read_until_last_line_matches(
            [r"really guest \(yes/no\)\? $", r"[#$] $"], WAIT
        )
        if index != 0:
            test.fail("the program ended instead of asking again")
        session.sendline(answer)
        output = session.read_up_to_prompt(WAIT)
        if expected not in output:
            test.fail(f"to `{answer}` the program said: {output!r}")
