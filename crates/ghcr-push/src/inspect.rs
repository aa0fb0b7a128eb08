//! `ghcr-push inspect`: what is in an archive, and what a push of it would publish.

mod describe;
mod table;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use oci_archive::{
    BlobSource, CompressError, Compressor, Content, Digest, FinishedLayer, FinishedLayers, Image,
    RawLayer,
};
use serde_json::json;

use crate::args::{InspectArguments, Progress, variables};
use crate::env::Environment;
use crate::error::{CliError, Kind};
use crate::image::{self, ImageSettings, Purpose};
use crate::operands::{self, ImageOperand};
use crate::output::{self, Printer};
use crate::settings;
use describe::Description;

/// Runs the command and tells the exit code.
pub(crate) fn run(arguments: &InspectArguments, environment: &Environment) -> ExitCode {
    let colours = settings::colours(arguments.color.color, environment);
    // Of standard input it is told how far it is read.
    let display = settings::display(Progress::Auto, arguments.quiet, environment);
    let printer = Arc::new(
        Printer::new(display, arguments.quiet)
            .coloured(colours)
            .wrapped(environment.widths),
    );
    printer.without_effect(&variables::unknown(environment));
    match inspect(arguments, environment, &printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            printer.failure(&error, &[]);
            if arguments.json {
                // Standard output may be closed; the exit code still tells.
                let _ = output::print_json_failure(&error, &[], &printer);
            }
            ExitCode::from(error.kind)
        }
    }
}

fn inspect(
    arguments: &InspectArguments,
    environment: &Environment,
    printer: &Printer,
) -> Result<(), CliError> {
    let settings = ImageSettings::of(&arguments.image, environment)?;
    let operands = operands::read_images(&arguments.images, |path| Path::new(path).exists())?;
    let mut kitchen = Kitchen::new(&settings);
    let mut described = Vec::new();
    let mut contents = Vec::new();
    for operand in &operands {
        let read = read(operand, &settings, environment, printer)?;
        for content in &read {
            // Of several archives, one image is made, which is described by itself.
            let made = match operands.len() {
                1 => image::put_together(vec![content.clone()], &settings)?,
                _ => content.clone(),
            };
            let image = kitchen.finish(&made, &operand.name())?;
            let name = operand.name();
            let description = Description::of(&name, content, &image)
                .map_err(|error| unreadable(&name, &error))?;
            described.push(description);
        }
        contents.push(read);
    }
    let together = (operands.len() > 1)
        .then(|| together(contents, &settings, &mut kitchen, &described))
        .transpose()?;
    let written = if arguments.json {
        let mut value = json!({
            "schemaVersion": 1,
            "status": "inspected",
            "images": described.iter().map(Description::json).collect::<Vec<_>>(),
        });
        if let Some(together) = together {
            value["together"] = match together {
                Ok(together) => together.json_of_all(),
                Err(causes) => json!({ "error": causes.join(": ") }),
            };
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
            lines.extend(match together {
                Ok(together) => table::together(&together),
                Err(causes) => table::not_together(&causes),
            });
        }
        output::print_lines(&lines)
    };
    match written {
        // Whoever reads only the beginning, as `head` does, has what was asked for.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::unwritable(&error)),
        _ => Ok(()),
    }
}

fn read(
    operand: &ImageOperand,
    settings: &ImageSettings,
    environment: &Environment,
    printer: &Printer,
) -> Result<Vec<Content>, CliError> {
    let archive = image::archive(operand, settings, environment, printer, Purpose::Inspect)?;
    let options = image::options(operand, settings);
    let contents = archive
        .read_all(&options)
        .map_err(|error| image::refused(operand, &error, settings, Purpose::Inspect))?;
    let contents = contents.into_iter();
    Ok(contents
        .map(|content| content.called(operand.name()))
        .collect())
}

fn unreadable(name: &str, error: &dyn std::error::Error) -> CliError {
    CliError::new(Kind::Image, format!("{name} cannot be read")).caused_by(error)
}

/// What several archives are called where they are described as one.
const TOGETHER: &str = "together, as one index";

/// What a push of all archives would publish, or why it would be refused.
fn together(
    contents: Vec<Vec<Content>>,
    settings: &ImageSettings,
    kitchen: &mut Kitchen,
    alone: &[Description],
) -> Result<Result<Description, Vec<String>>, CliError> {
    let mut all = Vec::new();
    for mut of_one in contents {
        let (Some(content), true) = (of_one.pop(), of_one.is_empty()) else {
            let cause = "an archive holds several images, and one must be selected with --image";
            return Ok(Err(vec![cause.to_owned()]));
        };
        all.push(content);
    }
    let content = match image::put_together(all, settings) {
        Ok(content) => content,
        Err(error) => {
            let causes = std::iter::once(error.message).chain(error.causes);
            return Ok(Err(causes.collect()));
        }
    };
    let image = kitchen.finish(&content, TOGETHER)?;
    let description = Description::of(TOGETHER, &content, &image);
    let mut description = description.map_err(|error| unreadable(TOGETHER, &error))?;
    let is_known = |warning: &String| alone.iter().any(|one| one.warnings.contains(warning));
    description.warnings.retain(|warning| !is_known(warning));
    Ok(Ok(description))
}

/// Finishes drafts as a push would, without sending anything, and each layer once.
struct Kitchen {
    /// One for all, as each has files and a budget of its own.
    compressor: Compressor,
    /// The layers that were compressed.
    made: FinishedLayers,
    /// Those that came so, each where it was found: archives may hold one layer in two forms.
    found: BTreeMap<Digest, Vec<(BlobSource, FinishedLayer)>>,
}

impl Kitchen {
    fn new(settings: &ImageSettings) -> Self {
        Self {
            compressor: settings.compressor(),
            made: FinishedLayers::new(),
            found: BTreeMap::new(),
        }
    }

    fn finish(&mut self, content: &Content, name: &str) -> Result<Image, CliError> {
        let draft = match content {
            Content::Draft(draft) => draft,
            other => {
                let image = other.clone().into_image();
                return image
                    .ok_or_else(|| CliError::new(Kind::Internal, "there are images and drafts"));
            }
        };
        let mut layers = FinishedLayers::new();
        for layer in draft.layers() {
            let finished = self
                .layer(layer)
                .map_err(|error| unreadable(name, &error))?;
            layers.insert(layer.diff_id.clone(), finished);
        }
        draft
            .finish(&layers)
            .map_err(|error| unreadable(name, &error))
    }

    fn layer(&mut self, layer: &RawLayer) -> Result<FinishedLayer, CompressError> {
        if let Some(known) = self.known(layer) {
            return Ok(known.clone());
        }
        let blob = self.compressor.finish(layer, &|_| true)?;
        let finished = FinishedLayer::made(blob);
        let diff_id = layer.diff_id.clone();
        if layer.is_compressed() {
            let found = self.found.entry(diff_id).or_default();
            found.push((layer.source.clone(), finished.clone()));
        } else {
            self.made.insert(diff_id, finished.clone());
        }
        Ok(finished)
    }

    fn known(&self, layer: &RawLayer) -> Option<&FinishedLayer> {
        if !layer.is_compressed() {
            return self.made.get(&layer.diff_id);
        }
        let mut found = self.found.get(&layer.diff_id)?.iter();
        let (_, known) = found.find(|(source, _)| source.is_same_place(&layer.source))?;
        Some(known)
    }
}
