//! What a QEMU binary offers, as far as a command line needs to know it.

/// What a QEMU binary offers. It is asked of the binary once, elsewhere.
pub trait Facts {
    /// Major and minor version: `(7, 2)`.
    fn version(&self) -> (u32, u32);
    /// The device models of `-device help`, with their aliases.
    fn devices(&self) -> Vec<&str>;
    /// The machine types of `-machine help`, with their aliases.
    fn machines(&self) -> Vec<&str>;
    /// The backend types of `-netdev help`.
    fn netdevs(&self) -> Vec<&str>;
    /// Whether the binary has the command-line option `name`, given without its dash.
    fn has_option(&self, name: &str) -> bool;

    /// Whether the binary has the device model `name`.
    fn has_device(&self, name: &str) -> bool {
        self.devices().contains(&name)
    }

    /// Whether the binary has the machine type `name`.
    fn has_machine(&self, name: &str) -> bool {
        self.machines().contains(&name)
    }

    /// Whether the binary has the network backend `name`.
    fn has_netdev(&self, name: &str) -> bool {
        self.netdevs().contains(&name)
    }
}
