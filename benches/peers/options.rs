//! What the command line asks for.

/// The parsed command line.
#[derive(Debug)]
pub(crate) struct Options {
    /// Only rows whose title contains this.
    pub(crate) filter: String,
    /// The size of every pool.
    pub(crate) threads: usize,
    /// Few rounds.
    pub(crate) quick: bool,
    /// One core a worker.
    pub(crate) pin: bool,
    /// Whether `cargo bench` started us; `cargo test --all-targets` must not take minutes.
    pub(crate) bench: bool,
}

impl Options {
    /// Reads the arguments that follow the program's name.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options =
            Self { filter: String::new(), threads: 2, quick: false, pin: false, bench: false };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => options.bench = true,
                "--quick" => options.quick = true,
                "--pin" => options.pin = true,
                "--threads" => options.threads = threads(arguments.next())?,
                flag if flag.starts_with('-') => return Err(format!("unknown option {flag}")),
                _ => options.filter = argument,
            }
        }
        Ok(options)
    }
}

fn threads(argument: Option<String>) -> Result<usize, String> {
    argument
        .and_then(|number| number.parse().ok())
        .filter(|&threads| threads > 0)
        .ok_or_else(|| "--threads wants a number from 1 on".to_owned())
}
