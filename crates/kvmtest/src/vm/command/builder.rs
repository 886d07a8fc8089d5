//! The parts, put together in the order in which QEMU is to make them.

use super::argument::{Argument, Options};
use super::disk::Storage;
use super::kernel::Kernel;
use super::line::CommandLine;
use super::machine::Machine;
use super::nic::Nics;
use super::plan::Plan;
use super::request::{Paths, Request};
use super::{
    agent, assignment, balloon, boot, bootindex, cpu, display, extra, identity, key, machine,
    memory, monitor, old, panic, rng, rtc, script, serial, testdev, usb, vmgenid, watchdog,
};
use crate::error::{Error, ErrorKind, Result};
use crate::params::Params;

/// The oldest QEMU that takes `-device` as JSON.
const OLDEST: (u32, u32) = (6, 2);

/// The command line for `request`.
///
/// A key with a wrong value is an error of the kind [`ErrorKind::Params`] that names the key, the
/// value and its place; what this binary does not have is one of the kind [`ErrorKind::Host`].
pub fn build(request: &Request) -> Result<CommandLine> {
    let params = old::modernised(request.params);
    check(request, &params)?;
    let mut line = assemble(request, &params)?;
    line.fingerprint = fingerprint(request, &params)?;
    Ok(line)
}

fn check(request: &Request, params: &Params) -> Result<()> {
    let (major, minor) = request.facts.version();
    if (major, minor) < OLDEST {
        let message = format!(
            "`{}` is QEMU {major}.{minor}: {}.{} or later is needed",
            request.paths.program, OLDEST.0, OLDEST.1
        );
        return Err(Error::new(ErrorKind::Host, message));
    }
    match params.iter().find(|(_, value)| value.contains('\0')) {
        Some((key, _)) => Err(params.wrong(key, "text without a zero byte")),
        None => Ok(()),
    }
}

fn assemble(request: &Request, params: &Params) -> Result<CommandLine> {
    let machine = Machine::of(params, &request.facts.machines());
    let plan = Plan { request: *request, params, machine };
    let bootindices = bootindex::indices(&plan)?;
    let storage = Storage::of(&plan, &bootindices)?;
    let nics = Nics::of(&plan)?;
    let kernel = Kernel::of(&plan)?;
    let uuid = uuid(request, params)?;

    let (serial_arguments, serials) = serial::arguments(&plan)?;
    let (monitor_arguments, monitors) = monitor::arguments(&plan)?;
    let (display_arguments, display) = display::arguments(&plan)?;
    let (drive_arguments, images) = storage.arguments(&plan)?;
    let (agent_arguments, agent) = agent::arguments(&plan)?;
    let (testdev_arguments, testdev_log) = testdev::arguments(&plan)?;
    let usb_needed = storage.usb_controllers().chain(nics.usb_controller(params)?);

    let mut arguments = vec![
        Argument::Option("name", name(request.name)),
        Argument::Flag("nodefaults"),
        Argument::Flag("no-user-config"),
    ];
    arguments.extend(machine::arguments(&plan)?);
    arguments.extend(cpu::arguments(&plan)?);
    arguments.extend(memory::arguments(&plan)?);
    arguments.extend(uuid.clone().map(|uuid| Argument::Option("uuid", uuid)));
    arguments.extend(rtc::arguments(params)?);
    arguments.extend(boot::arguments(params)?);
    arguments.extend(monitor_arguments);
    arguments.extend(serial_arguments);
    arguments.extend(display_arguments);
    arguments.extend(usb::controllers(params, usb_needed)?);
    arguments.extend(drive_arguments);
    arguments.extend(nics.arguments(&plan, &bootindices, kernel.is_some())?);
    arguments.extend(agent_arguments);
    arguments.extend(rng::arguments(&plan)?);
    arguments.extend(vmgenid::arguments(&plan)?);
    arguments.extend(balloon::arguments(&plan)?);
    arguments.extend(usb::arguments(params)?);
    arguments.extend(panic::arguments(&plan)?);
    arguments.extend(watchdog::arguments(params)?);
    arguments.extend(testdev_arguments);
    arguments.extend(assignment::arguments(params)?);
    arguments.extend(kernel.map(Kernel::arguments).into_iter().flatten());
    arguments.extend(key::arguments(&plan));
    arguments.extend(start(params)?);
    arguments.extend(extra::arguments(params)?);

    let models = models(&plan, &arguments)?;
    let (nics, redirs) = nics.into_uses();
    Ok(CommandLine {
        program: request.paths.program.clone(),
        args: render(&arguments),
        environment: environment(params),
        images,
        nics,
        monitors,
        serials,
        redirs,
        models,
        uuid,
        agent,
        display,
        testdev_log,
        scratch: request.paths.scratch.clone(),
        fingerprint: String::new(),
    })
}

fn name(name: &str) -> String {
    // With names for the threads, a look at the process says which vCPU is busy.
    Options::default().with("guest", name).with("debug-threads", "on").finish()
}

fn uuid(request: &Request, params: &Params) -> Result<Option<String>> {
    match params.find_nonempty("uuid").map(str::trim) {
        None => Ok(None),
        Some("random") => Ok(Some(identity::uuid(request.seed))),
        Some(text) if is_uuid(text) => Ok(Some(text.to_ascii_lowercase())),
        Some(_) => {
            let what = "`random` or a UUID: `01234567-89ab-4cde-8f01-23456789abcd`";
            Err(params.wrong("uuid", what))
        }
    }
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// In which state the machine starts.
fn start(params: &Params) -> Result<Vec<Argument>> {
    let mut arguments = Vec::new();
    if let Some(uri) = params.find_nonempty("incoming") {
        arguments.push(Argument::Option("incoming", uri.to_owned()));
    }
    if super::read::flag(params, "start_paused", false)? {
        arguments.push(Argument::Flag("S"));
    }
    Ok(arguments)
}

fn environment(params: &Params) -> Vec<(String, String)> {
    let display = params.find_nonempty("x11_display");
    display.map(|display| ("DISPLAY".to_owned(), display.to_owned())).into_iter().collect()
}

/// The models in use, each once; one that the binary does not have is an error.
fn models(plan: &Plan, arguments: &[Argument]) -> Result<Vec<String>> {
    let names = plan.request.facts.devices();
    let mut models: Vec<String> = Vec::new();
    for argument in arguments {
        let Argument::Device(device) = argument else { continue };
        if models.contains(&device.driver) {
            continue;
        }
        if !names.contains(&&*device.driver) {
            let error = plan.lacks("device", &device.driver, &names);
            return Err(match &device.asked_by {
                Some((key, value)) => error.context(format!("`{key}` is `{value}`")),
                None => error,
            });
        }
        models.push(device.driver.clone());
    }
    Ok(models)
}

/// QEMU makes all devices that are given in its option syntax before all that are given as JSON.
/// So where a user has written one in option syntax, all are, and they come in our order.
fn render(arguments: &[Argument]) -> Vec<String> {
    let as_options = arguments.iter().any(|argument| match argument {
        Argument::Device(device) => device.extra.is_some(),
        Argument::Word(word) => word.trim_start_matches('-') == "device" && word.starts_with('-'),
        _ => false,
    });
    let mut words = Vec::new();
    for argument in arguments {
        match argument {
            Argument::Flag(flag) => words.push(format!("-{flag}")),
            Argument::Option(option, value) => words.extend([format!("-{option}"), value.clone()]),
            Argument::Device(device) => {
                let text = if as_options { device.options() } else { device.json() };
                words.extend(["-device".to_owned(), text]);
            }
            Argument::Word(word) => words.push(word.clone()),
        }
    }
    words
}

/// The same command line for the same machine, wherever it runs, whatever it is called by its
/// instance, and in whichever state it starts.
fn fingerprint(request: &Request, params: &Params) -> Result<String> {
    let paths = Paths {
        instance: "/INSTANCE".into(),
        scratch: "/SCRATCH".into(),
        memory: None,
        layers: None,
        ..request.paths.clone()
    };
    let mut params = params.clone();
    for key in ["incoming", "start_paused"] {
        params.remove(key);
    }
    let anywhere = Request { paths: &paths, seed: "", ..*request };
    let line = assemble(&anywhere, &params)?;
    Ok(script::lines(line.program.as_str(), &line.args).join("\n"))
}
