//! The registry as a program of its own.

use std::io::{self, Write as _};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use test_registry::{Authentication, Exchange, Options, Personality, Refusal, TestRegistry};

/// Run a strict OCI registry in memory on the loopback address, until it is interrupted
#[derive(Debug, Parser)]
#[command(name = "test-registry", version)]
struct Arguments {
    /// The port; 0 takes any that is free
    #[arg(long, default_value_t = 5000)]
    port: u16,

    /// Whose behaviour the registry has
    #[arg(long, value_enum, default_value_t = Kind::Specification)]
    personality: Kind,

    /// Ask for this user and a password, through bearer tokens
    #[arg(long, requires = "password")]
    username: Option<String>,

    /// The user's password
    #[arg(long, requires = "username")]
    password: Option<String>,

    /// How many seconds a token is good for
    #[arg(long, value_name = "SECONDS")]
    token_lifetime: Option<u64>,

    /// Refuse pushes to a repository: `OWNER/NAME=write_package`, `read_package`, `create_package`,
    /// installation-write, installation-create, scopes, installation, owner or secondary-rate-limit; only who is
    /// known can be refused, so it takes a user
    #[arg(long, value_name = "REPOSITORY=REFUSAL", requires = "username")]
    deny: Vec<String>,

    /// Forget blobs' bytes once they are hashed
    #[arg(long)]
    discard_blobs: bool,

    /// Let every request take so many milliseconds longer
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    latency: u64,

    /// Let bodies come in at so many bytes a second
    #[arg(long, value_name = "BYTES")]
    rate: Option<u64>,

    /// Print every request
    #[arg(long)]
    log: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// The distribution specification's
    Specification,
    /// ghcr.io's
    Ghcr,
    /// ghcr.io's, where each chunk takes the place of those before it
    GhcrOverwriting,
    /// Amazon's: 201 for a chunk, and a range that stays
    Ecr,
    /// Google's: no chunks
    Gar,
    /// Azure's basic tier: no body over 20 MB
    Acr,
    /// Distribution 2.8's: ranges are not looked at
    Distribution,
    /// Docker Hub's: the same, and lines of a 429 end without carriage returns
    Hub,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let mut options = Options::default();
    options.port = arguments.port;
    options.discard_blobs = arguments.discard_blobs;
    options.latency = Duration::from_millis(arguments.latency);
    options.rate = arguments.rate;
    options.personality = match arguments.personality {
        Kind::Specification => Personality::Specification,
        Kind::Ghcr => Personality::Ghcr,
        Kind::GhcrOverwriting => Personality::GhcrOverwriting,
        Kind::Ecr => Personality::Ecr,
        Kind::Gar => Personality::Gar,
        Kind::Acr => Personality::Acr,
        Kind::Distribution => Personality::Distribution,
        Kind::Hub => Personality::Hub,
    };
    if let (Some(username), Some(password)) = (arguments.username, arguments.password) {
        options.authentication = Authentication::Bearer {
            username,
            password,
            lifetime: arguments.token_lifetime.map(Duration::from_secs),
        };
    }
    let registry = TestRegistry::try_start(options)?;
    for denial in &arguments.deny {
        let (repository, refusal) = denial
            .split_once('=')
            .ok_or_else(|| io::Error::other(format!("{denial:?} is not REPOSITORY=REFUSAL")))?;
        let refusal: Refusal = refusal.parse().map_err(io::Error::other)?;
        registry.deny(repository, refusal);
    }
    let mut output = io::stdout().lock();
    writeln!(
        output,
        "listening on {} ({:?})",
        registry.url(),
        arguments.personality
    )?;
    output.flush()?;
    let mut printed = 0;
    // Until the process is interrupted; there is nothing to keep.
    loop {
        std::thread::sleep(Duration::from_millis(200));
        if arguments.log {
            let journal = registry.journal();
            for exchange in &journal.exchanges[printed..] {
                writeln!(output, "{}", line(exchange))?;
            }
            printed = journal.exchanges.len();
            output.flush()?;
        }
    }
}

fn line(exchange: &Exchange) -> String {
    let status = exchange
        .status
        .map_or_else(|| "-".to_owned(), |status| status.to_string());
    let range = exchange.content_range.as_deref().unwrap_or("-");
    format!(
        "{} {} {} body={} range={range}",
        exchange.method, exchange.path, status, exchange.body_bytes
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::Arguments;

    /// Without a user nobody is refused, and a refusal would be without effect.
    #[test]
    fn a_refusal_takes_a_user() {
        let deny = ["--deny", "owner/app=write_package"];
        let user = ["--username", "octocat", "--password", "secret"];
        let parsed = |words: &[&str]| {
            Arguments::try_parse_from([&["test-registry"], words].concat())
                .map_err(|error| error.to_string())
        };
        assert!(parsed(&[&deny[..], &user[..]].concat()).is_ok());
        assert!(parsed(&user).is_ok());
        let error = parsed(&deny).map(|_| ()).expect_err("there is no user");
        assert!(error.contains("--username <USERNAME>"), "{error}");
    }
}
