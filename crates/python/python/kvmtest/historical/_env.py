"""The historical methods of an `Env`."""

from __future__ import annotations

from typing import Union

from kvmtest import VM, Env, ParamError

__all__ = ["register_vm"]

_register_vm = Env.register_vm


def register_vm(self: Env, name: Union[str, VM], vm: Union[VM, None] = None) -> None:
    """Writes a machine into the env file: `register_vm(vm)`, or `register_vm(name, vm)`.

    The name must be the machine's own: `vm.clone(name)` makes one of another name.
    """
    if isinstance(name, str):
        if vm is None:
            raise TypeError("`register_vm(name, vm)`: `vm` is missing")
        if vm.name != name:
            raise ParamError(f"the VM is called `{vm.name}`, not `{name}`: clone it")
    else:
        vm = name
    _register_vm(self, vm)
