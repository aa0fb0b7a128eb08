//! What a filter leaves out, for the user.

/// What was left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Dropped {
    pub(super) platforms: Vec<String>,
    pub(super) absent: Vec<String>,
    pub(super) attestations: usize,
}

impl Dropped {
    /// One sentence for each reason.
    pub(super) fn told(&self) -> Vec<String> {
        let mut changes = Vec::new();
        for (names, why) in [
            (&self.platforms, "not asked for"),
            (&self.absent, "not in the archive"),
        ] {
            if !names.is_empty() {
                changes.push(format!("left out as {why}: {}", names.join(", ")));
            }
        }
        match self.attestations {
            0 => {}
            1 => changes.push("1 attestation is left out".to_owned()),
            count => changes.push(format!("{count} attestations are left out")),
        }
        changes
    }
}
