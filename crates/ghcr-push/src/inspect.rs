//! `ghcr-push inspect`: what is in an archive, and what a push of it would publish.

mod describe;
mod table;

use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use oci_archive::{Compressor, Content, FinishedLayer, FinishedLayers, Image};
use serde_json::json;

use crate::args::InspectArguments;
use crate::env::Environment;
use crate::error::{CliError, Kind};
use crate::image::{self, ImageSettings, Purpose};
use crate::operands::{self, ImageOperand};
use crate::output::{self, Printer};
use crate::settings::{self, Display};
use describe::Description;

/// Runs the command and tells the exit code.
pub(crate) fn run(arguments: &InspectArguments, environment: &Environment) -> ExitCode {
    let colours = settings::colours(arguments.color.color, environment);
    let printer = Arc::new(Printer::new(Display::Nothing, false).coloured(colours));
    match inspect(arguments, environment) {
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

fn inspect(arguments: &InspectArguments, environment: &Environment) -> Result<(), CliError> {
    let settings = ImageSettings::of(&arguments.image, environment)?;
    let operands = operands::read_images(&arguments.images, |path| Path::new(path).exists())?;
    let mut kitchen = Kitchen::new(&settings);
    let mut described = Vec::new();
    let mut contents = Vec::new();
    for operand in &operands {
        let read = read(operand, &settings, environment)?;
        for (position, content) in read.iter().enumerate() {
            // Of several archives, one image is made, which is described by itself.
            let made = match operands.len() {
                1 => image::put_together(vec![content.clone()], &settings)?,
                _ => content.clone(),
            };
            let image = kitchen.finish(&made, &operand.name())?;
            let name = operand.name();
            let description = Description::of(&name, position, content, &image)
                .map_err(|error| unreadable(&name, &error))?;
            described.push(description);
        }
        contents.push(read);
    }
    let together = (operands.len() > 1)
        .then(|| together(contents, &settings, &mut kitchen, &described))
        .transpose()?;
    let printed = if arguments.json {
        let mut value = json!({
            "schemaVersion": 1,
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
    match printed {
        // Whoever reads only the beginning, as `head` does, has what was asked for.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::new(
            Kind::Internal,
            "standard output cannot be written",
        )
        .caused_by(&error)),
        _ => Ok(()),
    }
}

fn read(
    operand: &ImageOperand,
    settings: &ImageSettings,
    environment: &Environment,
) -> Result<Vec<Content>, CliError> {
    let archive = image::archive(operand, settings, environment, Purpose::Inspect)?;
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
    let description = Description::of(TOGETHER, 0, &content, &image);
    let mut description = description.map_err(|error| unreadable(TOGETHER, &error))?;
    let is_known = |warning: &String| alone.iter().any(|one| one.warnings.contains(warning));
    description.warnings.retain(|warning| !is_known(warning));
    Ok(Ok(description))
}

/// Finishes drafts as a push would, without sending anything, and each layer once.
struct Kitchen {
    compressor: Compressor,
    /// The layers that were compressed, and the first of each that came so.
    layers: FinishedLayers,
}

impl Kitchen {
    fn new(settings: &ImageSettings) -> Self {
        Self {
            compressor: settings.compressor(),
            layers: FinishedLayers::new(),
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
        let mut own = FinishedLayers::new();
        for layer in draft.layers() {
            let known = self.layers.get(&layer.diff_id);
            // Archives may hold one layer in two forms, if it comes compressed.
            let finished = match known.filter(|_| !layer.is_compressed()) {
                Some(known) => known.clone(),
                None => FinishedLayer::made(
                    self.compressor
                        .finish(layer, &|_| true)
                        .map_err(|error| unreadable(name, &error))?,
                ),
            };
            let first = self.layers.entry(layer.diff_id.clone());
            first.or_insert_with(|| finished.clone());
            own.insert(layer.diff_id.clone(), finished);
        }
        draft.finish(&own).map_err(|error| unreadable(name, &error))
    }
}
