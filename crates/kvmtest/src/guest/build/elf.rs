//! Reads as much of ELF files as it takes to know what they need.

/// A 64-bit little-endian ELF file.
#[derive(Debug)]
pub(super) struct Elf<'a> {
    sections: Vec<Section<'a>>,
}

#[derive(Debug)]
struct Section<'a> {
    name: &'a [u8],
    data: &'a [u8],
    link: usize,
}

const DT_NEEDED: u64 = 1;

impl<'a> Elf<'a> {
    /// `None` where `bytes` are no such file, or are cut off.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes.get(..6)? != b"\x7fELF\x02\x01" {
            return None;
        }
        let table = usize::try_from(number::<8>(bytes, 0x28)?).ok()?;
        let size = usize::try_from(number::<2>(bytes, 0x3a)?).ok()?;
        let count = usize::try_from(number::<2>(bytes, 0x3c)?).ok()?;
        let names = usize::try_from(number::<2>(bytes, 0x3e)?).ok()?;
        let header = |index: usize| bytes.get(table.checked_add(index * size)?..);
        let names = data(bytes, header(names)?)?;
        let mut sections = Vec::new();
        for index in 0..count {
            let header = header(index)?;
            let name = usize::try_from(number::<4>(header, 0)?).ok()?;
            sections.push(Section {
                name: string(names, name)?,
                data: data(bytes, header)?,
                link: usize::try_from(number::<4>(header, 40)?).ok()?,
            });
        }
        Some(Self { sections })
    }

    /// The content of the section called `name`.
    pub(super) fn section(&self, name: &str) -> Option<&'a [u8]> {
        Some(self.named(name)?.data)
    }

    /// The libraries that the loader has to find, as the file names them.
    pub(super) fn needed(&self) -> Vec<String> {
        let Some(dynamic) = self.named(".dynamic") else { return Vec::new() };
        let Some(strings) = self.sections.get(dynamic.link) else { return Vec::new() };
        dynamic
            .data
            .chunks_exact(16)
            .filter(|entry| number::<8>(entry, 0) == Some(DT_NEEDED))
            .filter_map(|entry| {
                let at = usize::try_from(number::<8>(entry, 8)?).ok()?;
                Some(String::from_utf8_lossy(string(strings.data, at)?).into_owned())
            })
            .collect()
    }

    /// The loader that runs the file, `/lib64/ld-linux-x86-64.so.2`.
    pub(super) fn interpreter(&self) -> Option<String> {
        let path = string(self.section(".interp")?, 0)?;
        Some(String::from_utf8_lossy(path).into_owned())
    }

    /// The values of `key` in a kernel module's description of itself.
    pub(super) fn module_info(&self, key: &str) -> Vec<String> {
        let info = self.section(".modinfo").unwrap_or_default();
        info.split(|byte| *byte == 0)
            .filter_map(|line| line.strip_prefix(key.as_bytes())?.strip_prefix(b"="))
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    fn named(&self, name: &str) -> Option<&Section<'a>> {
        self.sections.iter().find(|section| section.name == name.as_bytes())
    }
}

fn data<'a>(bytes: &'a [u8], header: &[u8]) -> Option<&'a [u8]> {
    const NOBITS: u64 = 8;
    if number::<4>(header, 4)? == NOBITS {
        return Some(&[]);
    }
    let start = usize::try_from(number::<8>(header, 24)?).ok()?;
    let size = usize::try_from(number::<8>(header, 32)?).ok()?;
    bytes.get(start..start.checked_add(size)?)
}

fn string(table: &[u8], at: usize) -> Option<&[u8]> {
    table.get(at..)?.split(|byte| *byte == 0).next()
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let mut whole = [0; 8];
    whole[..N].copy_from_slice(bytes.get(at..at + N)?);
    Some(u64::from_le_bytes(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF file with these sections, each linked to the next.
    fn file(sections: &[(&str, &[u8])]) -> Vec<u8> {
        let mut names = vec![0];
        let mut bytes = vec![0; 64];
        let mut headers = vec![0; 64];
        let all: Vec<_> = sections.iter().copied().chain([(".shstrtab", &[][..])]).collect();
        let offsets: Vec<usize> = all
            .iter()
            .map(|(name, _)| {
                names.extend_from_slice(name.as_bytes());
                names.push(0);
                names.len() - name.len() - 1
            })
            .collect();
        for (index, (name, data)) in all.iter().enumerate() {
            let data = if *name == ".shstrtab" { &names } else { &data.to_vec() };
            let mut header = [0; 64];
            header[0..4].copy_from_slice(&u32::try_from(offsets[index]).unwrap().to_le_bytes());
            header[24..32].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            header[32..40].copy_from_slice(&(data.len() as u64).to_le_bytes());
            header[40..44].copy_from_slice(&u32::try_from(index + 2).unwrap().to_le_bytes());
            bytes.extend_from_slice(data);
            headers.extend_from_slice(&header);
        }
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        let table = bytes.len() as u64;
        bytes[0x28..0x30].copy_from_slice(&table.to_le_bytes());
        bytes[0x3a..0x3c].copy_from_slice(&64u16.to_le_bytes());
        let count = u16::try_from(all.len() + 1).unwrap();
        bytes[0x3c..0x3e].copy_from_slice(&count.to_le_bytes());
        bytes[0x3e..0x40].copy_from_slice(&(count - 1).to_le_bytes());
        bytes.extend(headers);
        bytes
    }

    fn dynamic(entries: &[(u64, u64)]) -> Vec<u8> {
        entries
            .iter()
            .flat_map(|(tag, value)| [tag.to_le_bytes(), value.to_le_bytes()])
            .flatten()
            .collect()
    }

    #[test]
    fn needed_libraries_and_the_loader_are_found() {
        let entries = dynamic(&[(1, 1), (5, 99), (1, 8), (0, 0)]);
        let file = file(&[
            (".interp", b"/lib64/ld.so\0"),
            (".dynamic", &entries),
            (".dynstr", b"\0libc.6\0libz.1\0"),
        ]);
        let elf = Elf::parse(&file).expect("an ELF file");
        assert_eq!(elf.needed(), ["libc.6", "libz.1"]);
        assert_eq!(elf.interpreter().as_deref(), Some("/lib64/ld.so"));
    }

    #[test]
    fn a_module_tells_of_itself() {
        let file =
            file(&[(".modinfo", b"alias=pci:a\0depends=x,y\0alias=pci:b\0aliased=no\0name=m\0")]);
        let elf = Elf::parse(&file).expect("an ELF file");
        assert_eq!(elf.module_info("alias"), ["pci:a", "pci:b"]);
        assert_eq!(elf.module_info("depends"), ["x,y"]);
        assert!(elf.module_info("softdep").is_empty());
        assert!(elf.needed().is_empty());
    }

    #[test]
    fn nothing_that_is_cut_off_or_scrambled_panics() {
        let whole = file(&[(".dynamic", &dynamic(&[(1, u64::MAX)])), (".dynstr", b"x")]);
        for end in 0..whole.len() {
            if let Some(elf) = Elf::parse(&whole[..end]) {
                elf.needed();
            }
        }
        for at in 0..whole.len() {
            let mut scrambled = whole.clone();
            scrambled[at] = 0xff;
            if let Some(elf) = Elf::parse(&scrambled) {
                elf.needed();
                elf.interpreter();
            }
        }
        assert!(Elf::parse(b"#!/bin/sh\n").is_none());
    }

    #[test]
    fn this_very_program_can_be_read() {
        let bytes = std::fs::read("/proc/self/exe").expect("the test itself");
        let needed = Elf::parse(&bytes).expect("an ELF file").needed();
        assert!(needed.iter().any(|library| library.starts_with("libc.so")), "{needed:?}");
    }
}
