//! `-kernel`, `-initrd`, `-append`: booting a kernel without a boot loader.

use camino::Utf8PathBuf;

use super::argument::Argument;
use super::plan::Plan;
use crate::error::Result;

/// A kernel that QEMU itself loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kernel {
    file: Utf8PathBuf,
    initrd: Option<Utf8PathBuf>,
    params: String,
}

impl Kernel {
    /// The kernel that `params` name, or else the guest's; none where the firmware boots a disk.
    ///
    /// A kernel in `params` comes without the guest's initial RAM file system, whose modules are
    /// for the guest's kernel.
    pub(super) fn of(plan: &Plan) -> Result<Option<Self>> {
        let params = plan.params;
        let paths = plan.request.paths;
        let initrd = params.find_nonempty("initrd").map(|path| paths.resolve(path));
        let own = params.find_nonempty("kernel").map(|path| paths.resolve(path));
        let (file, initrd, default) = match (own, plan.request.guest) {
            (Some(file), _) => (file, initrd, ""),
            (None, Some(guest)) => (
                guest.kernel.clone(),
                Some(initrd.unwrap_or_else(|| guest.initrd.clone())),
                &*guest.kernel_params,
            ),
            (None, None) => {
                for key in ["initrd", "kernel_params", "kernel_params_extra"] {
                    if params.find_nonempty(key).is_some() {
                        return Err(params.wrong(key, "accompanied by `kernel` or `guest`"));
                    }
                }
                return Ok(None);
            }
        };
        let words = [
            params.find("kernel_params").unwrap_or(default).trim(),
            params.get_or("kernel_params_extra", "").trim(),
        ];
        let words: Vec<_> = words.into_iter().filter(|text| !text.is_empty()).collect();
        Ok(Some(Self { file, initrd, params: words.join(" ") }))
    }

    /// The arguments that make QEMU load it.
    pub(super) fn arguments(self) -> Vec<Argument> {
        let mut arguments = vec![Argument::Option("kernel", self.file.into_string())];
        if let Some(initrd) = self.initrd {
            arguments.push(Argument::Option("initrd", initrd.into_string()));
        }
        if !self.params.is_empty() {
            arguments.push(Argument::Option("append", self.params));
        }
        arguments
    }
}
