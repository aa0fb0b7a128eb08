//! References that a tool takes for none, as people published them, each with where.

use expect_test::expect;

use super::{check, found};

#[test]
fn of_upper_case() {
    // https://github.com/testssl/testssl.sh/pull/2772
    check(
        "buildx failed with: ERROR: invalid tag \"ghcr.io/Tazmaniac/testssl.sh:3.2\": repository name must be lowercase\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/Tazmaniac/testssl.sh:3.2 | InvalidReference { is_uppercase: true } | reference-invalid
        "]],
    );
    // https://github.com/LunaTechLab/MoonTV/pull/191
    check(
        "buildx failed with: ERROR: failed to build: invalid tag \"ghcr.io/RiverOnVenus/moontv:latest\": repository name must be lowercase\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/RiverOnVenus/moontv:latest | InvalidReference { is_uppercase: true } | reference-invalid
        "]],
    );
    // https://github.com/neurogenomics/rworkflows/issues/109
    check(
        "Login Succeeded\n\
         Building image [ghcr.io/neurogenomics/HPOExplorer:0.99.11 ghcr.io/neurogenomics/HPOExplorer:latest ghcr.io/neurogenomics/HPOExplorer:latest]\n\
         invalid argument \"ghcr.io/neurogenomics/HPOExplorer:0.99.11\" for \"-t, --tag\" flag: invalid reference format: repository name must be lowercase\n\
         See 'docker build --help'.\n\
         Error: exit status 125\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/neurogenomics/HPOExplorer:0.99.11 | InvalidReference { is_uppercase: true } | reference-invalid
        "]],
    );
    // https://github.com/Tiryoh/docker-ros2-desktop-vnc/pull/17
    check(
        "Error parsing reference: \"ghcr.io/Tiryoh/ros2-desktop-vnc:eloquent\" is not a valid repository/tag: invalid reference format: repository name must be lowercase\n\
         ##[error]Process completed with exit code 1.\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/Tiryoh/ros2-desktop-vnc:eloquent | InvalidReference { is_uppercase: true } | reference-invalid
        "]],
    );
    // https://github.com/DRuggeri/alertmanager_gotify_bridge/pull/34
    check(
        "# docker pull ghcr.io/DRuggeri/alertmanager_gotify_bridge\n\
         invalid reference format: repository name (DRuggeri/alertmanager_gotify_bridge) must be lowercase\n",
        &expect![[r"
            pull: - - - ghcr.io ghcr.io/DRuggeri/alertmanager_gotify_bridge | InvalidReference { is_uppercase: true } | reference-invalid
        "]],
    );
    // https://github.com/konstructio/kubefirst/issues/771
    check(
        "metaphor-frontend-publish-ccb0f59-k2npz-build-push-493683026: #19 ERROR: invalid reference format: repository name must be lowercase\n",
        &expect![[r"
            - - - - - | InvalidReference { is_uppercase: true } | reference-invalid
        "]],
    );
    // https://github.com/docker/build-push-action/issues/967
    check(
        "Error: buildx failed with: ERROR: invalid tag \"containersfallstudie.azurecr.io/***/frontendweb:14c4b972e95f9c491fa8557c104fd81f71ee2c05\": repository name must be lowercase\n",
        &expect![[r"
            - - - containersfallstudie.azurecr.io containersfallstudie.azurecr.io/***/frontendweb:14c4b972e95f9c491fa8557c104fd81f71ee2c05 | InvalidReference { is_uppercase: true } | reference-invalid
        "]],
    );
}

/// Tools that do not take references apart with Docker's library.
#[test]
fn of_upper_case_in_other_words() {
    // https://github.com/kptdev/kpt/issues/3864
    check(
        "Error: error creating publisher: failed to parse \"ghcr.io/GoogleContainerTools/kpt-functions-catalog\" as repository: repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: GoogleContainerTools/kpt-functions-catalog\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/GoogleContainerTools/kpt-functions-catalog | InvalidReference { is_uppercase: true } | reference-invalid
        "]],
    );
    // https://github.com/werf/werf/pull/2637
    check(
        "Error: error creating docker registry accessor for repo \"docker.pkg.github.com/ExamplAccount/example-repo-name/stages\": repository can only contain the runes `abcdefghijklmnopqrstuvwxyz0123456789_-./`: ExamplAccount/example-repo-name/stages\n",
        &expect![[r"
            - - - docker.pkg.github.com docker.pkg.github.com/ExamplAccount/example-repo-name/stages | InvalidReference { is_uppercase: true } | reference-invalid
        "]],
    );
    // https://github.com/1bit-MONSTER/1bit-MONSTER/pull/2086
    check(
        "Error: \"ghcr.io/1bit-MONSTER/1bit-MONSTER:latest\": invalid reference: invalid repository \"1bit-MONSTER/1bit-MONSTER\"\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/1bit-MONSTER/1bit-MONSTER:latest | InvalidReference { is_uppercase: true } | reference-invalid
        "]],
    );
    // https://github.com/oras-project/oras/issues/679
    check(
        "joshspicer@gh-m1 cli % oras pull ghcr.io/NicoVIII/devcontainer-features:latest\nError: invalid reference: invalid repository\n",
        &expect![[r"
            pull: - - - ghcr.io ghcr.io/NicoVIII/devcontainer-features:latest | InvalidReference { is_uppercase: false } | reference-invalid
        "]],
    );
    // https://github.com/apptainer/apptainer/issues/2272
    check(
        "FATAL: Unable to push image to oci registry: could not parse reference: ghcr.io/Some-Org/repo/container:latest\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/Some-Org/repo/container:latest | InvalidReference { is_uppercase: true } | reference-invalid
        "]],
    );
}

/// What is no reference for another reason.
#[test]
fn of_another_kind() {
    // https://github.com/google/go-containerregistry/issues/840
    check(
        "2020/11/23 17:52:45 reading tags for localhost:5000: parsing repo \"localhost:5000\": repository can only contain the runes `abcdefghijklmnopqrstuvwxyz0123456789_-./`: localhost:5000\n",
        &expect![[r"
            - - - - - | InvalidReference { is_uppercase: false } | reference-invalid
        "]],
    );
    check(
        "docker push ghcr.io/owner/app:\ninvalid reference format\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/owner/app | InvalidReference { is_uppercase: false } | reference-invalid
        "]],
    );
    // The owner's variable is empty, which says more than the tool.
    check(
        "ERROR: invalid tag \"ghcr.io//app:1\": invalid reference format\n",
        &expect![[r"
            - - - ghcr.io ghcr.io//app:1 | InvalidReference { is_uppercase: false } | reference-invalid
        "]],
    );
    // A host that is mistaken for GitHub's is worse.
    check(
        "ERROR: invalid tag \"ghrc.io/Owner/app:1\": repository name must be lowercase\n",
        &expect![[r"
            - - - ghrc.io ghrc.io/Owner/app:1 | InvalidReference { is_uppercase: true } | lookalike-host
        "]],
    );
    assert_eq!(
        found("names_test.go:12: invalid reference format\ngit: invalid reference: HEAD\n"),
        ""
    );
}
