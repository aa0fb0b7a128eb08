//! Pushes an image of any kind, and shows what happens:
//! `cargo run --example push IMAGE REFERENCE [USERNAME] < TOKEN`.
#![expect(clippy::print_stdout, reason = "this is what the example is for")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use oci_archive::{
    CompressionFormat, CompressionSettings, Compressor, Content, OpenOptions, Scratch,
};
use oci_push::{
    Credentials, Event, FixedKeychain, NoCache, Observer, PushOptions, PushReport, Pusher,
    Reference, Workshop,
};

/// Prints what is finished, and what has to be tried again.
struct Lines;

impl Observer for Lines {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::BlobFinished { digest, size } => println!("{digest}: {size} bytes"),
            Event::Retrying { cause, wait, .. } => println!("again in {wait:?}: {cause}"),
            _ => {}
        }
    }
}

/// Pushes the image at `path`; what `docker save` wrote is compressed on the way.
///
/// # Errors
///
/// If the archive is broken, or the registry does not hold the image in the end.
pub(crate) async fn push(
    path: &Path,
    reference: &str,
    credentials: Option<Credentials>,
) -> Result<PushReport, Box<dyn Error>> {
    let reference: Reference = reference.parse()?;
    let scratch = Scratch::new("/tmp");
    let mut archive = OpenOptions::default();
    archive.scratch = Some(scratch.clone());
    let content = oci_archive::open(path, &archive)?;

    let mut options = PushOptions::default();
    options.plain_http = reference.registry().starts_with("127.0.0.1:");
    let keychain = Arc::new(FixedKeychain(credentials));
    let pusher = Pusher::new(options, keychain, Arc::new(Lines))?;
    let report = match content {
        Content::Image(image) => pusher.push(&image, &[reference]).await,
        Content::Draft(draft) => {
            let settings = CompressionSettings::new(CompressionFormat::Gzip, None)?;
            let compressor = Compressor::new(settings, 2, scratch);
            let workshop = Workshop::new(Arc::new(compressor), Arc::new(NoCache));
            pusher.push_draft(&draft, &workshop, &[reference]).await
        }
        _ => return Err("the archive holds something new".into()),
    };
    Ok(report?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(image), Some(reference)) = (arguments.next(), arguments.next()) else {
        return Err("push IMAGE REFERENCE [USERNAME] < TOKEN".into());
    };
    let credentials = match arguments.next() {
        None => None,
        Some(username) => {
            let token = std::io::read_to_string(std::io::stdin())?;
            let password = token.trim().to_owned().into();
            Some(Credentials { username, password })
        }
    };
    let report = push(Path::new(&image), &reference, credentials).await?;
    for entry in report.references {
        println!("{}: {:?}", entry.reference, entry.status);
    }
    Ok(())
}
