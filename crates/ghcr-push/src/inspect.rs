//! `ghcr-push inspect`: what is in an archive, and what a push of it would publish.

mod describe;
mod table;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use oci_archive::{
    CompressError, Compressor, Content, Digest, FinishedLayer, FinishedLayers, Image, RawLayer,
};
use serde_json::json;

use crate::args::InspectArguments;
use crate::env::Environment;
use crate::error::{CliError, Kind};
use crate::image::{self, ImageSettings, Purpose};
use crate::operands::{self, ImageOperand};
use crate::output::{self, Printer};
use crate::settings::Display;
use describe::Description;

/// Runs the command and tells the exit code.
pub(crate) fn run(arguments: &InspectArguments, environment: &Environment) -> ExitCode {
    let printer = Arc::new(Printer::new(Display::Nothing, false));
    match inspect(arguments, environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            printer.failure(&error);
            if arguments.json {
                // Standard output may be closed; the exit code still tells.
                let _ = output::print_json_failure(&error, &[], &printer);
            }
            ExitCode::from(error.kind)
        }
    }
}

fn inspect(arguments: &InspectArguments, environment: &Environment) -> Result<(), CliError> {
    let settings = ImageSettings::of(&arguments.image, environment)?;
    let operands = operands::read_images(&arguments.images)?;
    let mut described = Vec::new();
    let mut images = Vec::new();
    let compressor = settings.compressor();
    for operand in &operands {
        let mut finisher = Finisher::new(&compressor);
        for content in read(operand, &settings, environment)? {
            let (image, description) = describe(operand, &content, &settings, &mut finisher)?;
            images.push(image);
            described.push(description);
        }
    }
    let together = (operands.len() > 1 && images.len() == operands.len()).then(|| merged(images));
    let printed = if arguments.json {
        let mut value = json!({
            "schemaVersion": 1,
            "images": described.iter().map(Description::json).collect::<Vec<_>>(),
        });
        if let Some(together) = together.transpose()? {
            value["together"] = describe::root(&together);
        }
        output::print_json(&value)
    } else {
        let mut lines: Vec<String> = Vec::new();
        for description in &described {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.extend(table::render(description));
        }
        if let Some(together) = together {
            lines.push(String::new());
            lines.extend(table::together(&together?));
        }
        output::print_lines(&lines)
    };
    printed.map_err(|error| {
        CliError::new(Kind::Internal, "standard output cannot be written").caused_by(&error)
    })
}

fn read(
    operand: &ImageOperand,
    settings: &ImageSettings,
    environment: &Environment,
) -> Result<Vec<Content>, CliError> {
    let archive = image::archive(operand, settings, environment, Purpose::Inspect)?;
    let options = image::options(operand, settings);
    let contents = archive.read_all(&options);
    contents.map_err(|error| image::refused(operand, &error, Purpose::Inspect))
}

/// Finishes the layers of one archive, whose images often share them.
struct Finisher<'a> {
    compressor: &'a Compressor,
    /// By diff id and entry: two entries may hold one layer in two forms.
    finished: BTreeMap<(Digest, Arc<str>), FinishedLayer>,
}

impl<'a> Finisher<'a> {
    fn new(compressor: &'a Compressor) -> Self {
        Self {
            compressor,
            finished: BTreeMap::new(),
        }
    }

    fn finish(&mut self, layer: &RawLayer) -> Result<FinishedLayer, CompressError> {
        let key = (layer.diff_id.clone(), Arc::clone(&layer.name));
        if let Some(known) = self.finished.get(&key) {
            return Ok(known.clone());
        }
        let blob = self.compressor.finish(layer, &|_| true)?;
        let finished = FinishedLayer::made(blob);
        self.finished.insert(key, finished.clone());
        Ok(finished)
    }
}

/// Makes of an image what a push would make of it, without sending anything.
fn describe(
    operand: &ImageOperand,
    content: &Content,
    settings: &ImageSettings,
    finisher: &mut Finisher<'_>,
) -> Result<(Image, Description), CliError> {
    let cannot = |error: &dyn std::error::Error| {
        let message = format!("{} cannot be read", operand.name());
        CliError::new(Kind::Image, message).caused_by(error)
    };
    let mut content = content.clone();
    settings.annotate(&mut content)?;
    let image = match &content {
        Content::Draft(draft) => {
            let mut layers = FinishedLayers::new();
            for layer in draft.layers() {
                let made = finisher.finish(layer).map_err(|error| cannot(&error))?;
                layers.insert(layer.diff_id.clone(), made);
            }
            draft.finish(&layers).map_err(|error| cannot(&error))?
        }
        content => content
            .clone()
            .into_image()
            .ok_or_else(|| CliError::new(Kind::Internal, "there are images and drafts"))?,
    };
    let description = Description::of(operand, &content, &image).map_err(|error| cannot(&error))?;
    Ok((image, description))
}

/// What a push of all of them would publish.
fn merged(images: Vec<Image>) -> Result<Image, CliError> {
    let contents = images
        .into_iter()
        .map(|image| Content::Image(Box::new(image)))
        .collect();
    let cannot = |error: &dyn std::error::Error| {
        CliError::new(Kind::Image, "the images cannot be put together").caused_by(error)
    };
    let merged = oci_archive::merge(contents).map_err(|error| cannot(&error))?;
    merged
        .into_image()
        .ok_or_else(|| CliError::new(Kind::Internal, "images merge into an image"))
}
