//! The codes of permissions: the two locks, tokens and owners.

use super::About;
use crate::diagnosis::Code;

/// The meaning of a code about permissions, `None` for the others.
#[expect(clippy::too_many_lines, reason = "a table of texts")]
pub(super) fn about(code: Code) -> Option<About> {
    Some(match code {
        Code::PackageDeniesRepository => About {
            cause: "The package exists and does not give the workflow's repository the role Write. Mostly it was first \
                    pushed by hand, or from another repository; a repository that was transferred or made anew loses \
                    its access too.",
            evidence: "`permission_denied: write_package`, with a workflow's token or one whose kind is not known. \
                       `proven` if GitHub says that the package is linked to no repository or to another one.",
            remedy: "The package's settings, *Manage Actions access*, *Add repository*, role Write. There is no API \
                     for it. `permissions:`, `id-token` and `attestations` in the workflow do nothing for it.",
            sources: &[
                "https://github.com/danger/danger-js/issues/1414",
                "https://github.com/redhat-actions/push-to-registry/issues/52",
                "https://github.com/tuna-os/tunaOS/issues/642",
            ],
        },
        Code::PackageDeniesUser => About {
            cause: "The token's user does not have the role Write on the package.",
            evidence: "The same words with a person's token (`ghp_`, `gho_`, `ghu_`).",
            remedy: "An administrator of the package grants it under *Manage access*.",
            sources: &[
                "https://docs.github.com/en/packages/learn-github-packages/about-permissions-for-github-packages",
            ],
        },
        Code::PackageUnreadable => About {
            cause: "The package is private and this credential may not even see it: the story of \
                    `package-denies-repository` with a private package.",
            evidence: "`permission_denied: read_package` to a push; older tools show a bare 403 to HEAD.",
            remedy: "As there: role Write under *Manage Actions access*. Making the package public instead shows every \
                     version that it holds to everybody, cannot be undone, and lets nobody push.",
            sources: &[
                "https://github.com/containerd/containerd/pull/13547",
                "https://github.com/yc-software/qm/pull/12",
            ],
        },
        Code::PackageJustCreated => About {
            cause: "For some seconds after the push that creates a package, GitHub does not know everywhere who may \
                    use it.",
            evidence: "`read_package` or a bare 403 right after this run, or a job beside it, created the package.",
            remedy: "Wait a minute and push again. Nothing has to be changed.",
            sources: &[
                "https://github.com/docker/build-push-action/issues/981",
                "https://github.com/nextstrain/docker-base/issues/131",
            ],
        },
        Code::WorkflowLacksPackagesWrite => About {
            cause: "The job's token has no `packages: write`.",
            evidence: "`installation not allowed to Write organization package` (the package exists) or `... to Create \
                       organization package` (it does not). \"Organization\" is said of personal accounts too. \
                       `proven` if the workflow's file at the commit that runs, the job's log, or GitHub's API, which does \
                       not let the token read packages, shows that the permission is missing. With a file that \
                       grants it (`likely`) the token was another one, or the run used another version of the file.",
            remedy: "The `permissions:` block in the job. Access granted on the package's page does not help.",
            sources: &[
                "https://github.com/devcontainers/template-starter/issues/14",
                "https://github.com/hyperledger-firefly/signer/pull/74",
                "https://github.com/airbus/sen/pull/173",
            ],
        },
        Code::ForkPullRequest => About {
            cause: "The run is for a pull request from a fork: its token may only read, whatever the file says, and it \
                    has no secrets.",
            evidence: "The words above (or an empty credential), and the event: the pull request's head is in another \
                       repository, or in one that was deleted.",
            remedy: "Publish from runs of the repository itself; a condition on the step that pushes. Not \
                     `pull_request_target`: it hands a token that may write to the pull request's code.",
            sources: &[
                "https://github.blog/changelog/2021-04-20-github-actions-control-permissions-for-github_token",
                "https://github.com/enketo/enketo/issues/1054",
            ],
        },
        Code::Dependabot => About {
            cause: "The run was started by Dependabot, whose token may only read unless the file says otherwise.",
            evidence: "The words above (or an empty credential), and the actor `dependabot[bot]`, also in a repeated run.",
            remedy: "Publish when the update is merged; or an explicit `permissions:` block, which lets code of the \
                     updated dependencies run with that right.",
            sources: &[
                "https://docs.github.com/en/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions",
                "https://github.com/jidicula/clang-format-action/issues/190",
            ],
        },
        Code::ReusableWorkflow => About {
            cause: "The job is in a reusable workflow, whose token has no more than both files grant.",
            evidence: "The words above in a called workflow. `possible` if the caller's file grants the permission and \
                       it is not known where the job stands.",
            remedy: "The block in both files: the caller's job with `uses:`, and the called job.",
            sources: &[
                "https://docs.github.com/en/actions/using-workflows/reusing-workflows",
                "https://github.com/xraph/workflows/pull/1",
            ],
        },
        Code::OrganizationPolicy => About {
            cause: "The organization, or its enterprise, lets members create no such packages, or keeps workflows to \
                    reading.",
            evidence: "The words above with a block that is right: of a package that is to be created, or where the \
                       job's log shows less than the block grants (`likely`); else beside the other causes \
                       (`possible`). No API tells, so it is never proven.",
            remedy: "An owner changes *Package creation*, or *Workflow permissions*, which is the default of all \
                     repositories that set nothing themselves.",
            sources: &[
                "https://github.com/freeipa/ipa-tuura/issues/38",
                "https://github.com/actions/runner/issues/1039",
                "https://github.com/openconfig/gnmic/issues/641",
            ],
        },
        Code::CannotCreatePackage => About {
            cause: "The package does not exist, and whoever the token stands for may not create it under this owner.",
            evidence: "`permission_denied: create_package`. `proven` if the owner is a user and the token another's.",
            remedy: "The right owner in the reference, or a token of somebody who may create packages there. Accounts \
                     that an enterprise manages have no packages of their own.",
            sources: &[
                "https://docs.github.com/packages/learn-github-packages/introduction-to-github-packages",
                "https://github.com/community/community/discussions/32184",
            ],
        },
        Code::AppTokenUnsupported => About {
            cause: "The token is one of a GitHub App other than Actions' own.",
            evidence: "`permission_denied: installation not allowed to ...`, with that prefix (`possible`); `proven` \
                       if the token is known not to be the run's own.",
            remedy: "`GITHUB_TOKEN`, or a classic personal access token with `write:packages`.",
            sources: &[
                "https://github.com/product-os/flowzone/pull/516",
                "https://github.com/orgs/community/discussions/26920",
            ],
        },
        Code::FineGrainedTokenUnsupported => About {
            cause: "The token is a fine-grained personal access token. The registry takes classic ones only.",
            evidence: "`The token provided does not match expected scopes.` and the prefix `github_pat_` (`proven`); \
                       other refusals of such a token (`likely`).",
            remedy: "A classic token with `write:packages`; in a workflow `GITHUB_TOKEN`.",
            sources: &[
                "https://github.com/docker/login-action/issues/331",
                "https://docs.github.com/en/packages/learn-github-packages/about-permissions-for-github-packages#about-scopes-and-permissions-for-package-registries",
            ],
        },
        Code::MissingScope => About {
            cause: "The token has no scope `write:packages`. What `gh auth token` prints has none unless it was asked for.",
            evidence: "`The token provided does not match expected scopes.`, or the scopes that GitHub's API names.",
            remedy: "`gh auth refresh -h github.com -s write:packages` for gh's token, else a classic token with the \
                     scope.",
            sources: &[
                "https://github.com/daltoniam/switchboard/pull/139",
                "https://github.com/cli/cli/issues/5150",
            ],
        },
        Code::NamespaceMismatch => About {
            cause: "A workflow's token is used for the packages of another owner than its repository's: in a fork, after \
                    a transfer or a rename, or by a wrong name.",
            evidence: "`permission_denied: The requested installation does not exist.` `proven` if the run's repository \
                       is another owner's.",
            remedy: "The repository's owner in the reference, in lower case; or a classic token of a user who may write \
                     there, which outlives the job.",
            sources: &["https://github.com/macbre/push-to-ghcr/issues/26"],
        },
        Code::OwnerNotFound => About {
            cause: "There is no user or organization of that name.",
            evidence: "`not_found: owner not found`.",
            remedy: "The account's name in lower case, with its hyphens; after a rename the new one.",
            sources: &["https://github.com/goreleaser/goreleaser/issues/2815"],
        },
        _ => return None,
    })
}
