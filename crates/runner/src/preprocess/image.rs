//! Images are made where they are asked for.

use kvmtest::storage::Image;
use kvmtest::vm::Vm;
use kvmtest::{Context, Params, Result};

use crate::around::Around;

/// Makes the images of a machine: with `force_create_image = yes` anew, with `create_image = yes`
/// where they are missing. Each image has these keys for itself.
pub(super) fn prepare_all(around: &mut Around, vm: &Vm, params: &Params) -> Result<()> {
    for image in Image::all(params)? {
        let own = params.object_params(image.name());
        let force = own.get_bool_or("force_create_image", false)?;
        let create = own.get_bool_or("create_image", false)? && !around.env.image(&image)?.exists();
        if !force && !create {
            continue;
        }
        // A machine that lives on an image does not see it vanish; it is another machine now.
        if !vm.is_dead()? {
            around.log(format!("ending the VM `{}`: its images are made anew", vm.name()));
            vm.destroy(false).with_context(|| format!("ending the VM `{}`", vm.name()))?;
        }
        let image = around.env.place_for(&image)?;
        around.log(format!("making the image `{}`: {}", image.name(), image.path()));
        image.create()?;
    }
    Ok(())
}

/// Refuses what cannot be understood of any image.
pub(super) fn check(params: &Params) -> Result<()> {
    for name in params.objects("images") {
        let own = params.object_params(name);
        own.get_bool_or("force_create_image", false)?;
        own.get_bool_or("create_image", false)?;
    }
    Ok(())
}
