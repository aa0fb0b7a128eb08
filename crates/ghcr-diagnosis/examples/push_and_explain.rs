//! Pushes an image, and says why it is refused: `cargo run --example push IMAGE REFERENCE < TOKEN`.
#![expect(clippy::print_stdout, reason = "this is what the example is for")]

use std::{error::Error, io, path::Path, sync::Arc};

use ghcr_diagnosis::{Context, CredentialFacts, Evidence, TokenKind, diagnose};
use oci_push::{Credentials, FixedKeychain, PushOptions, Pusher, Silent};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let [image, reference] = [1, 2].map(|at| std::env::args().nth(at).unwrap_or_default());
    let token = io::read_to_string(io::stdin())?.trim().to_owned();
    let (source, kind) = ("standard input".to_owned(), TokenKind::of(&token));
    let mut context = Context::default();
    context.credential = Some(CredentialFacts { source, kind }).into();

    let archive = oci_archive::open(Path::new(&image), &oci_archive::OpenOptions::default())?;
    let image = archive
        .into_image()
        .ok_or("its layers are not compressed")?;
    let (username, password) = ("x-access-token".to_owned(), token.into());
    let keychain = FixedKeychain(Some(Credentials { username, password }));
    let mut options = PushOptions::default();
    options.plain_http = reference.starts_with("127.0.0.1:");
    let pusher = Pusher::new(options, Arc::new(keychain), Arc::new(Silent))?;
    let Err(refused) = pusher.push(&image, &[reference.parse()?]).await else {
        return Ok(());
    };
    if let Some(diagnosis) = diagnose(&Evidence::of(&refused.failure), &context) {
        println!("{}", diagnosis.summary);
        for cause in diagnosis.causes {
            println!("{} ({}): {}", cause.code, cause.likelihood, cause.remedy);
        }
    }
    Err(refused.failure.into())
}
