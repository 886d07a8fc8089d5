//! `refresh`: the one program in a guest that no package has.
//!
//! A guest that was saved and goes on has a wrong clock, and would hand out the random numbers
//! that every other one of the same state hands out: Linux takes what is written to
//! `/dev/urandom` into its pool, but goes on with the key that it has for up to a minute. To start
//! programs that mend this costs more than all else of a start from a state, so one is there
//! already and waits.

/// Where it goes.
pub(super) const PLACE: &str = "bin/refresh";

/// Machine code. It reads messages of 32 characters from its standard input. Each stands for six
/// bits, from `0` on; four of them are three bytes, the lowest first. The 24 bytes are: the seconds
/// that the clock is set to, unless they are 0; its nanoseconds; and 16 bytes that the generator
/// behind descriptor 3 begins anew from, if the highest bit of the nanoseconds is set. Each message
/// is answered by a newline.
#[rustfmt::skip]
const CODE: [u8; 192] = [
    0x48, 0x83, 0xec, 0x60, // sub rsp, 96
    0x31, 0xc0, // next: xor eax, eax
    0x31, 0xff, // xor edi, edi
    0x48, 0x8d, 0x74, 0x24, 0x40, // lea rsi, [rsp + 64]
    0x6a, 0x20, // push 32
    0x5a, // pop rdx
    0x0f, 0x05, // syscall
    0x85, 0xc0, // test eax, eax
    0x0f, 0x8e, 0x9f, 0x00, 0x00, 0x00, // jle end
    0x83, 0xf8, 0x20, // cmp eax, 32
    0x75, 0xe5, // jne next
    0x48, 0x8d, 0x7c, 0x24, 0x18, // lea rdi, [rsp + 24]
    0x6a, 0x08, // push 8
    0x5b, // pop rbx
    0x31, 0xc0, // group: xor eax, eax
    0x6a, 0x04, // push 4
    0x59, // pop rcx
    0x0f, 0xb6, 0x16, // letter: movzx edx, byte [rsi]
    0x48, 0xff, 0xc6, // inc rsi
    0x83, 0xea, 0x30, // sub edx, 48
    0xc1, 0xe0, 0x06, // shl eax, 6
    0x09, 0xd0, // or eax, edx
    0xe2, 0xf0, // loop letter
    0xab, // stosd
    0x48, 0xff, 0xcf, // dec rdi
    0xff, 0xcb, // dec ebx
    0x75, 0xe3, // jne group
    0x8b, 0x44, 0x24, 0x18, // mov eax, dword [rsp + 24]
    0x85, 0xc0, // test eax, eax
    0x74, 0x1e, // je seed
    0x48, 0x89, 0x04, 0x24, // mov qword [rsp], rax
    0x8b, 0x44, 0x24, 0x1c, // mov eax, dword [rsp + 28]
    0x25, 0xff, 0xff, 0xff, 0x3f, // and eax, 0x3fffffff
    0x48, 0x89, 0x44, 0x24, 0x08, // mov qword [rsp + 8], rax
    0xb8, 0xe3, 0x00, 0x00, 0x00, // mov eax, 227 (SYS_clock_settime)
    0x31, 0xff, // xor edi, edi
    0x48, 0x89, 0xe6, // mov rsi, rsp
    0x0f, 0x05, // syscall
    0x83, 0x7c, 0x24, 0x1c, 0x00, // seed: cmp dword [rsp + 28], 0
    0x7d, 0x31, // jge done
    0xc7, 0x44, 0x24, 0x18, 0x80, 0x00, 0x00, 0x00, // mov dword [rsp + 24], 128
    0xc7, 0x44, 0x24, 0x1c, 0x10, 0x00, 0x00, 0x00, // mov dword [rsp + 28], 16
    0x6a, 0x10, // push 16
    0x58, // pop rax
    0x6a, 0x03, // push 3
    0x5f, // pop rdi
    0xbe, 0x03, 0x52, 0x08, 0x40, // mov esi, 0x40085203 (RNDADDENTROPY)
    0x48, 0x8d, 0x54, 0x24, 0x18, // lea rdx, [rsp + 24]
    0x0f, 0x05, // syscall
    0x6a, 0x10, // push 16
    0x58, // pop rax
    0x6a, 0x03, // push 3
    0x5f, // pop rdi
    0xbe, 0x07, 0x52, 0x00, 0x00, // mov esi, 0x5207 (RNDRESEEDCRNG)
    0x31, 0xd2, // xor edx, edx
    0x0f, 0x05, // syscall
    0xc6, 0x04, 0x24, 0x0a, // done: mov byte [rsp], 10
    0x6a, 0x01, // push 1
    0x58, // pop rax
    0x6a, 0x01, // push 1
    0x5f, // pop rdi
    0x48, 0x89, 0xe6, // mov rsi, rsp
    0x6a, 0x01, // push 1
    0x5a, // pop rdx
    0x0f, 0x05, // syscall
    0xe9, 0x4b, 0xff, 0xff, 0xff, // jmp next
    0x6a, 0x3c, // end: push 60
    0x58, // pop rax
    0x31, 0xff, // xor edi, edi
    0x0f, 0x05, // syscall
];

const HEADER: u16 = 64;
const PROGRAM_HEADER: u16 = 56;
const BASE: u64 = 0x40_0000;

/// The program; nothing on another architecture than x86-64.
pub(super) fn program() -> Option<Vec<u8>> {
    cfg!(target_arch = "x86_64").then(elf)
}

/// An executable of one segment, which is the whole file.
fn elf() -> Vec<u8> {
    let start = u64::from(HEADER + PROGRAM_HEADER);
    let length = start + CODE.len() as u64;
    let mut file = Vec::new();
    // 64 bits, little-endian, version 1.
    file.extend([0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    // An executable (2) for x86-64 (62), version 1.
    half(&mut file, [2, 62, 1, 0]);
    wide(&mut file, [BASE + start, u64::from(HEADER), 0]);
    half(&mut file, [0, 0, HEADER, PROGRAM_HEADER, 1, 0, 0, 0]);
    // To be loaded (1), to be read and executed (5).
    half(&mut file, [1, 0, 5, 0]);
    wide(&mut file, [0, BASE, BASE, length, length, 0x1000]);
    file.extend(CODE);
    file
}

fn half<const N: usize>(file: &mut Vec<u8>, values: [u16; N]) {
    file.extend(values.into_iter().flat_map(u16::to_le_bytes));
}

fn wide<const N: usize>(file: &mut Vec<u8>, values: [u64; N]) {
    file.extend(values.into_iter().flat_map(u64::to_le_bytes));
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    use super::*;

    /// What it does to clock and generator is not for a host: with neither, it answers, and it
    /// waits for whole messages.
    #[test]
    fn it_answers_each_whole_message_and_ends_with_its_input() {
        let Some(program) = program() else { return };
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("refresh");
        kvmtest_tests::write_executable(&path, &program);
        let mut child = Command::new(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let (mut input, mut output) =
            (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        for _ in 0..2 {
            input.write_all(&[b'0'; 32]).expect("written");
            let mut answer = [0];
            output.read_exact(&mut answer).expect("answered");
            assert_eq!(answer, *b"\n");
        }
        drop(input);
        assert_eq!(child.wait().expect("ended").code(), Some(0));
    }
}
