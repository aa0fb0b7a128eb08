//! The place in a workflow's file that an annotation leads to.

use ghcr_diagnosis::{Code, Context, Diagnosis};

/// A file of the checked-out repository, and where it is to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: String,
    /// The line of the job, from 1.
    pub(crate) line: Option<usize>,
}

impl Place {
    /// The place, if the first remedy is a change of the workflow's file: the remedy names the file, or it is about the
    /// credential that a step of the workflow is to be given.
    pub(crate) fn of(context: &Context, diagnosis: Option<&Diagnosis>) -> Option<Self> {
        let actions = context.actions.as_ref()?;
        let file = actions.workflow_file.as_ref()?;
        let cause = diagnosis?.causes.first()?;
        let is_given_there = matches!(cause.code, Code::CredentialMissing | Code::CredentialEmpty);
        let is_changed = is_given_there || cause.remedy.contains(file.as_str());
        // Lines of another commit lead astray.
        let is_other = actions.file_is_of_run == Some(false);
        is_changed.then(|| Self {
            file: file.clone(),
            line: actions.job_line.filter(|_| !is_other),
        })
    }
}

#[cfg(test)]
mod tests {
    use ghcr_diagnosis::{ActionsFacts, without_credential};

    use super::*;

    #[test]
    fn places() {
        let place = |file: Option<&str>, is_of_run, empty: &[&str]| {
            let mut context = Context::default();
            context.reference = "ghcr.io/owner/app:1".to_owned();
            context.empty_variables = empty.iter().map(|name| (*name).to_owned()).collect();
            context.actions = Some(ActionsFacts {
                workflow_file: file.map(str::to_owned),
                job_line: Some(7),
                file_is_of_run: is_of_run,
                ..ActionsFacts::default()
            });
            let diagnosis = without_credential(&context);
            let place = Place::of(&context, diagnosis.as_ref())?;
            Some((place.file, place.line))
        };
        let file = "a.yml".to_owned();
        for (named, is_of_run, empty, expected) in [
            (Some("a.yml"), None, &[][..], Some((file.clone(), Some(7)))),
            (
                Some("a.yml"),
                Some(true),
                &["GITHUB_TOKEN"],
                Some((file.clone(), Some(7))),
            ),
            (Some("a.yml"), Some(false), &[], Some((file, None))),
            (None, None, &[], None),
        ] {
            assert_eq!(
                place(named, is_of_run, empty),
                expected,
                "{named:?} {is_of_run:?}"
            );
        }
        assert_eq!(Place::of(&Context::default(), None), None);
    }
}
