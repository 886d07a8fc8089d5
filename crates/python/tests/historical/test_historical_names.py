"""No historical name is silently missing: each is there, or says what to do instead."""

import importlib
import inspect
from pathlib import Path

import pytest

import kvmtest
from kvmtest.historical import _left_out

MODULES = {
    "kvm_utils": """
        _lock_file _unlock_file is_vm Env Params
        generate_mac_address free_mac_address set_mac_address get_mac_address
        verify_ip_address_ownership find_command pid_exists safe_kill kill_process_tree
        get_latest_kvm_release_tag get_git_branch check_kvm_source_dir
        _remote_login remote_login wait_for_login _remote_scp remote_scp scp_to_remote
        scp_from_remote scp_between_remotes copy_files_to copy_files_from
        is_port_free find_free_port find_free_ports log_line set_log_file_dir get_path
        generate_random_string generate_random_id generate_tmp_file_name format_str_for_message
        wait_for get_hash_from_file run_tests create_report display_attributes get_full_pci_id
        get_vendor_from_pci_id Thread parallel KvmLoggingConfig PciAssignable KojiClient
        KojiPkgSpec set_default_koji_tag get_default_koji_tag umount mount install_host_kernel
        LoginError LoginAuthenticationError LoginTimeoutError LoginProcessTerminatedError
        LoginBadClientError SCPError SCPAuthenticationError SCPAuthenticationTimeoutError
        SCPTransferTimeoutError SCPTransferFailedError
        load_env dump_env get_sub_dict get_sub_dict_names mac_str_to_int mac_int_to_str
        ip_str_to_int ip_int_to_str offset_mac offset_ip get_mac_ip_pair_from_dict get_sub_pool
        env_get_all_vms env_get_vm env_register_vm env_unregister_vm ssh telnet netcat
    """,
    "kvm_test_utils": """
        get_living_vm wait_for_login reboot migrate stop_windows_service start_windows_service
        get_time get_memory_info run_autotest get_loss_ratio raw_ping ping get_linux_ifname
        stop cont
    """,
    "kvm_subprocess": """
        run_bg run_fg kill_tail_threads Spawn Tail Expect ShellSession
        kvm_spawn kvm_tail kvm_expect kvm_shell_session
        ExpectError ExpectTimeoutError ExpectProcessTerminatedError ShellError ShellTimeoutError
        ShellProcessTerminatedError ShellCmdError ShellStatusError
    """,
    "kvm_monitor": """
        Monitor HumanMonitor QMPMonitor MonitorError MonitorConnectError MonitorSocketError
        MonitorLockError MonitorProtocolError MonitorNotSupportedError QMPCmdError
    """,
    "kvm_vm": """
        VM get_image_filename create_image remove_image check_image
        VMError VMCreateError VMHashMismatchError VMImageMissingError VMImageCheckError
        VMBadPATypeError VMPAError VMPostCreateError VMHugePageError VMKVMInitError VMDeadError
        VMDeadKernelCrashError VMAddressError VMPortNotRedirectedError
        VMAddressVerificationError VMMACAddressMissingError VMIPAddressMissingError
        VMMigrateError VMMigrateTimeoutError VMMigrateCancelError VMMigrateFailedError
        VMMigrateStateMismatchError VMMigrateProtoUnsupportedError VMRebootError
    """,
    "autotest_lib.client.common_lib.error": """
        AutotestError TestBaseException TestError TestFail TestNAError TestWarn JobError CmdError
        UnhandledTestError UnhandledTestFail PackageError BarrierError InstallError HarnessError
        context base_context context_aware get_context exception_context set_exception_context
        join_contexts format_error
    """,
    "autotest_lib.client.bin.utils": """
        run system system_output system_output_parallel wait_for CmdResult BgJob AsyncJob
        join_bg_jobs run_parallel pid_is_alive signal_pid read_file read_one_line write_one_line
        open_write_close read_keyval write_keyval hash_file count_cpus get_arch
        get_current_kernel_arch
    """,
}

METHODS = {
    "VM": """
        clone make_qemu_command create destroy monitor verify_alive is_alive is_dead
        verify_kernel_crash get_params get_name get_monitor_filename get_monitor_filenames
        get_serial_console_filename get_testlog_filename get_address get_port get_peer get_ifname
        get_mac_address free_mac_address get_pid get_shell_pid get_shared_meminfo login
        remote_login wait_for_login serial_login wait_for_serial_login copy_files_to
        copy_files_from migrate reboot send_key send_string get_uuid get_cpu_count
        get_memory_size get_current_memory_size save_to_file send_monitor_cmd kill_tail_thread
        screendump params name
    """,
    "ShellSession": """
        get_id get_pid get_status get_output is_alive close set_linesep send sendline
        set_termination_func set_termination_params set_output_func set_output_params
        set_output_prefix read_nonblocking match_patterns read_until_output_matches
        read_until_last_word_matches read_until_last_line_matches read_until_any_line_matches
        set_prompt set_status_test_command is_responsive read_up_to_prompt cmd_output
        cmd_status_output cmd_status cmd get_command_output get_command_status_output
        get_command_status
    """,
    "QMPMonitor": """
        cmd cmd_raw cmd_obj cmd_qmp verify_responsive is_responsive get_events get_event
        clear_events get_greeting quit info query screendump migrate migrate_set_speed sendkey
        mouse_move mouse_button
    """,
    "HumanMonitor": """
        cmd verify_responsive is_responsive quit info query screendump migrate
        migrate_set_speed sendkey mouse_move mouse_button
    """,
    "Env": """
        get_vm get_all_vms register_vm unregister_vm save register_installer previous_installer
    """,
    "Params": "objects object_params get keys items values copy",
    "Test": """
        bindir debugdir resultsdir outputdir tmpdir srcdir iteration write_test_keyval
    """,
}


def _each(table):
    return [(owner, name) for owner, names in table.items() for name in names.split()]


@pytest.mark.parametrize(("module", "name"), _each(MODULES))
def test_a_name_is_there_or_says_why_not(module, name):
    found = importlib.import_module(module)
    if name in _left_out.LEFT_OUT[module.rpartition(".")[2]]:
        with pytest.raises(NotImplementedError, match=f"{name}` is left out: .{{10}}"):
            getattr(found, name)
        with pytest.raises(NotImplementedError, match="is left out"):
            exec(f"from {module} import {name}")
    else:
        assert name in found.__all__
        assert getattr(found, name) is not None


@pytest.mark.parametrize(("kind", "name"), _each(METHODS))
def test_a_method_is_there_or_says_why_not(kind, name):
    owner = getattr(kvmtest, kind)
    if name in _left_out.METHODS.get(kind, {}):
        with pytest.raises(NotImplementedError, match=f"`{kind}.{name}` is left out: .{{10}}"):
            getattr(owner, name)(None, "anything", timeout=1)
    else:
        assert hasattr(owner, name) or name in owner.__annotations__ or name == "bindir"


def test_nothing_is_both_there_and_left_out():
    for module, names in _left_out.LEFT_OUT.items():
        full = next(name for name in MODULES if name.rpartition(".")[2] == module)
        found = importlib.import_module(full)
        assert not set(found.__all__) & set(names), module
        # What is left out is in the table above, or nobody checks that it is historical.
        assert set(names) <= set(MODULES[full].split()), module
    for kind, methods in _left_out.METHODS.items():
        assert set(methods) <= set(METHODS[kind].split()), kind


@pytest.mark.parametrize("module", MODULES)
def test_a_name_that_never_was_is_an_attribute_error(module):
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        importlib.import_module(module).nonsense


@pytest.mark.parametrize("module", MODULES)
def test_everything_has_a_docstring(module):
    found = importlib.import_module(module)
    assert found.__doc__
    for name in found.__all__:
        value = getattr(found, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            assert value.__doc__, name
        if inspect.isclass(value) and value.__module__.startswith("kvmtest.historical"):
            for key, member in vars(value).items():
                if inspect.isfunction(member) and not key.startswith("_"):
                    assert member.__doc__, f"{name}.{key}"


SIGNATURES = {
    "kvm_test_utils.migrate": (
        "(vm, env=None, mig_timeout=3600, mig_protocol='tcp', mig_cancel=False, offline=False, "
        "stable_check=False, clean=False, save_path=None, dest_host='localhost', mig_port=None)"
    ),
    "kvm_test_utils.get_living_vm": "(env, vm_name)",
    "kvm_test_utils.wait_for_login": (
        "(vm, nic_index=0, timeout=240, start=0, step=2, serial=None)"
    ),
    "kvm_test_utils.reboot": (
        "(vm, session, method='shell', sleep_before_reset=10, nic_index=0, timeout=240)"
    ),
    "kvm_test_utils.stop_windows_service": "(session, service, timeout=120)",
    "kvm_test_utils.start_windows_service": "(session, service, timeout=120)",
    "kvm_test_utils.get_time": "(session, time_command, time_filter_re, time_format)",
    "kvm_test_utils.raw_ping": "(command, timeout, session, output_func)",
    "kvm_utils.wait_for": "(func, timeout, first=0.0, step=1.0, text=None)",
    "kvm_utils.remote_login": (
        "(client, host, port, username, password, prompt, linesep='\\n', log_filename=None, "
        "timeout=10.0)"
    ),
    "kvm_utils.wait_for_login": (
        "(client, host, port, username, password, prompt, linesep='\\n', log_filename=None, "
        "timeout=240.0, internal_timeout=10.0)"
    ),
    "kvm_utils.find_free_port": "(start_port, end_port, address='localhost')",
    "kvm_utils.find_free_ports": "(start_port, end_port, count, address='localhost')",
    "kvm_utils.get_sub_dict": "(dict, name)",
    "kvm_utils.get_sub_dict_names": "(dict, keyword)",
    "kvm_utils.env_register_vm": "(env, name, vm)",
    "kvm_utils.kill_process_tree": "(pid, sig=<Signals.SIGKILL: 9>)",
    "kvm_utils.mount": "(src, mount_point, type, perm='rw')",
    "kvm_subprocess.run_bg": (
        "(command, termination_func=None, output_func=None, output_prefix='', timeout=1.0)"
    ),
    "kvm_subprocess.run_fg": "(command, output_func=None, output_prefix='', timeout=1.0)",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_arguments_and_defaults_are_the_historical_ones(name):
    module, _, function = name.rpartition(".")
    signature = inspect.signature(getattr(importlib.import_module(module), function))
    bare = signature.replace(
        parameters=[
            one.replace(annotation=inspect.Parameter.empty)
            for one in signature.parameters.values()
        ],
        return_annotation=inspect.Signature.empty,
    )
    assert str(bare) == SIGNATURES[name]


def test_the_oldest_names_are_the_same_classes():
    import kvm_subprocess as process

    assert process.kvm_spawn is process.Spawn
    assert process.kvm_tail is process.Tail
    assert process.kvm_expect is process.Expect
    assert process.kvm_shell_session is process.ShellSession


def test_exceptions_are_those_of_the_library():
    import kvm_monitor
    import kvm_subprocess
    import kvm_vm
    from autotest_lib.client.common_lib import error

    assert error.TestFail is kvmtest.TestFail
    assert error.TestError is kvmtest.TestError
    assert error.TestNAError is kvmtest.TestSkip
    assert kvm_subprocess.ShellCmdError is kvmtest.ShellCmdError
    assert kvm_vm.VMDeadError is kvmtest.VMDeadError
    assert kvm_vm.VMMigrateError is kvmtest.MigrateError
    assert kvm_vm.VMMigrateCancelError is kvmtest.MigrateCancelledError
    for kind in (kvm_vm.VMMigrateTimeoutError, kvm_vm.VMMigrateFailedError):
        assert issubclass(kind, kvm_vm.VMMigrateError) and issubclass(kind, kvm_vm.VMError)
    assert kvm_monitor.QMPCmdError is kvmtest.MonitorCommandError


def test_the_book_lists_what_is_left_out():
    page = Path(__file__).parents[4] / "docs" / "src" / "python-historical.md"
    if not page.exists():
        pytest.skip("the book is not here")
    text = page.read_text(encoding="utf-8").partition("## What is left out")[2]
    for table in (_left_out.LEFT_OUT, _left_out.METHODS):
        for names in table.values():
            for name, reason in names.items():
                assert any(
                    f"`{name}`" in line and line.endswith(f"| {reason} |")
                    for line in text.splitlines()
                ), name
