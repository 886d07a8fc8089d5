//! `unsafe` says why it is sound.

use crate::code::has_word;
use crate::finding::Finding;
use crate::tree::Tree;

/// Finds `unsafe` without a `SAFETY:` comment above it; a function that is unsafe to call has a
/// `# Safety` section instead.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs") {
        let source: Vec<&str> = file.text.lines().collect();
        for (number, code) in file.code_lines() {
            if has_word(&code, "unsafe") && !is_explained(&source[..number - 1], &code) {
                let message = "`unsafe` without a `// SAFETY:` comment that says why it is sound";
                findings.push(Finding::line(&file.path, number, message));
            }
        }
    }
    findings
}

/// Whether the comment right above says why; attributes, and the beginning of a statement that
/// goes on over several lines, may stand between.
fn is_explained(above: &[&str], code: &str) -> bool {
    // The type of an unsafe function is no promise.
    if code.contains("unsafe fn(") || code.contains("unsafe extern \"") && code.contains("fn(") {
        return true;
    }
    let comment = above
        .iter()
        .rev()
        .map(|line| line.trim())
        .skip_while(|line| line.starts_with("#[") || is_beginning(line))
        .take_while(|line| line.starts_with("//"));
    comment.into_iter().any(|line| line.contains("SAFETY:") || line.contains("# Safety"))
}

fn is_beginning(line: &str) -> bool {
    line.ends_with('=') || line.ends_with('(') || line.ends_with("=>")
}

#[cfg(test)]
mod tests {
    use crate::tidy::expect_lines;

    #[test]
    fn unexplained_unsafe_is_found() {
        let check = |text, expected| expect_lines(super::check, "a.rs", text, expected);
        check("fn f() {\n    unsafe { g() }\n}", &[2]);
        check("// It is fine.\nunsafe impl Send for X {}", &[1 + 1]);
        check("/// Does it.\npub unsafe fn f() {}", &[2]);
        check("// SAFETY: far away.\n\nunsafe { g() }", &[3]);
        check("#[unsafe(no_mangle)]\nfn f() {}", &[1]);
        check("// SAFETY: nobody else has it.\nunsafe { g() }", &[]);
        check("// SAFETY: so,\n// and so.\nlet x =\n    unsafe { g() };", &[]);
        check(
            "/// Does it.\n///\n/// # Safety\n/// Never twice.\n#[inline]\npub unsafe fn f() {}",
            &[],
        );
        check("type F = unsafe fn(u32);\n#![deny(unsafe_code)]", &[]);
    }
}
