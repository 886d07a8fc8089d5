//! Images are checked, and removed where they are not to stay, once their machine is gone.

use kvmtest::storage::{Check, Image};
use kvmtest::{Context, Error, ErrorKind, Params, Result};

use crate::around::Around;

/// Refuses what cannot be understood of any image.
pub(super) fn check(params: &Params) -> Result<()> {
    for vm in params.objects("vms") {
        let own = params.object_params(vm);
        for image in own.objects("images") {
            Wish::of(&own.object_params(image))?;
        }
    }
    Ok(())
}

/// All images of all machines that the test names; the first error is given back.
pub(super) fn clean(around: &mut Around) -> Result<()> {
    let params = around.params.clone();
    let mut first: Option<Error> = None;
    for name in params.objects("vms") {
        let done = clean_vm(around, name, &params.object_params(name))
            .with_context(|| format!("the images of the VM `{name}`"));
        match done {
            Err(error) if first.is_none() => first = Some(error),
            Err(error) => around.warn(error.to_string()),
            Ok(()) => {}
        }
    }
    first.map_or(Ok(()), Err)
}

fn clean_vm(around: &mut Around, name: &str, params: &Params) -> Result<()> {
    let lives = match around.env.get_vm(name)? {
        Some(vm) => !vm.is_dead()?,
        None => false,
    };
    let mut damage = None;
    for image in Image::all(params)? {
        let wish = Wish::of(&params.object_params(image.name()))?;
        if lives && (wish.check || wish.remove) {
            around.log(format!(
                "the image `{}` is left alone: the VM `{name}`, which lives on, uses it",
                image.name()
            ));
            continue;
        }
        let seen = around.env.image(&image)?;
        if wish.check && seen.exists() {
            let found = judge(around, &seen).err();
            damage = damage.or(found);
        }
        if wish.remove && around.env.may_change(&image)? {
            seen.remove()?;
        } else if wish.remove {
            around.log(format!(
                "the image `{}` is left alone: other workers use it as well",
                image.name()
            ));
        }
    }
    damage.map_or(Ok(()), Err)
}

/// Damage is a failure of the test; room that is lost, and a check that could not be done, are
/// warnings.
fn judge(around: &mut Around, image: &Image) -> Result<()> {
    let place = format!("the image `{}` ({})", image.name(), image.path());
    match image.check()? {
        Check::Clean | Check::Unsupported => {}
        Check::Leaks(clusters) => around.warn(format!("{place} has {clusters} leaked clusters")),
        Check::Unfinished(why) => around.warn(format!("{place} could not be checked: {why}")),
        Check::Corrupt(errors) => {
            let message = format!("{place} is corrupt: {errors} errors");
            return Err(Error::new(ErrorKind::TestFail, message));
        }
    }
    Ok(())
}

/// What the params want to be done with an image.
struct Wish {
    check: bool,
    remove: bool,
}

impl Wish {
    fn of(params: &Params) -> Result<Self> {
        Ok(Self {
            check: params.get_bool_or("check_image", false)?,
            remove: params.get_bool_or("remove_image", false)?,
        })
    }
}
