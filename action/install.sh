#!/usr/bin/env bash
# Puts a release of ghcr-push into the runner's tool directory, and its path into the step's output `program`.
#
# What is downloaded is unpacked only after its checksum and its attestation were found right; the directory
# appears under its name only when it is complete, so that jobs of one machine can share it. A file in it says
# what was found right, and is believed only as far as the program is still the one that was unpacked.
#
# Bash 3.2 has to be enough: macOS has no later one.
set -euo pipefail

# Fails with an annotation. Whatever is in the text, it remains one
# (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands).
fail() {
  local text=$1
  text=${text//'%'/%25}
  text=${text//$'\r'/%0D}
  text=${text//$'\n'/%0A}
  printf '::error title=ghcr-push was not installed::%s\n' "$text"
  exit 1
}

# Tells the next step which program to run.
finish() {
  "$1" --version
  printf 'program=%s\n' "$1" >>"$GITHUB_OUTPUT"
  exit 0
}

# What the release's archives are named after. Windows on ARM runs programs for x86-64.
target() {
  case "$RUNNER_OS/$RUNNER_ARCH" in
    Linux/X64) echo x86_64-unknown-linux-musl ;;
    Linux/ARM64) echo aarch64-unknown-linux-musl ;;
    macOS/X64) echo x86_64-apple-darwin ;;
    macOS/ARM64) echo aarch64-apple-darwin ;;
    Windows/X64 | Windows/ARM64) echo x86_64-pc-windows-msvc ;;
    *) return 1 ;;
  esac
}

# Stores a file of the release in the working directory. Redirections lead to the store of the release's files,
# and never away from TLS.
download() {
  curl --fail --silent --show-error --location --proto "=${GITHUB_SERVER_URL%%:*}" --proto-redir '=https' \
    --retry 5 --connect-timeout 30 --max-time 600 --output "$1" "$release/$1" ||
    fail "$release/$1 cannot be downloaded. Is there a release v$version of $REPOSITORY? With version: installed, the ghcr-push that is on PATH is used."
}

# The SHA-256 of a file.
checksum() {
  if command -v sha256sum >/dev/null; then
    sha256sum "$1"
  else
    shasum --algorithm 256 "$1"
  fi | cut -d ' ' -f 1
}

# Whether the file is what the release lists.
verify_checksum() {
  local expected actual
  expected=$(awk -v name="$1" '$2 == name { print $1 }' SHA256SUMS)
  actual=$(checksum "$1")
  if [ "$expected" != "$actual" ]; then
    fail "$1 has the SHA-256 $actual, and the release lists ${expected:-none}"
  fi
}

# Whether the file was built by the release workflow, from the tag of this version, on GitHub's machines; and from the
# commit that the action is pinned by, since a tag can be moved and a commit cannot.
verify_attestation() {
  local origin=(--source-ref "refs/tags/v$version") named="the tag v$version"
  if [ -n "$commit" ]; then
    origin+=(--source-digest "$commit")
    named="$named at the commit $commit, by which the action is pinned. Pin it by the commit of a release, or name a release in version"
  fi
  gh attestation verify --help >/dev/null 2>&1 ||
    fail "there is no gh on PATH that verifies attestations, so that nothing shows who built $1. With verify: checksum, the checksum in the release has to do."
  GH_HOST=${GITHUB_SERVER_URL#*://} gh attestation verify "$1" \
    --repo "$REPOSITORY" \
    --signer-workflow "$REPOSITORY/.github/workflows/release.yml" \
    "${origin[@]}" \
    --deny-self-hosted-runners ||
    fail "$1 has no attestation that the release workflow of $REPOSITORY built it from $named"
}

# Whether the program that is there was verified as this job demands, and is what was unpacked then.
is_verified() {
  local verified archive expected
  [ -x "$program" ] && [ -r "$record" ] || return 1
  read -r verified archive expected <"$record" || return 1
  # What is known of the commit is known of the tag too, and what is attested has the release's checksum.
  case "$INPUT_VERIFY$commit" in
    checksum) [[ $verified = checksum || $verified = attestation* ]] || return 1 ;;
    attestation) [[ $verified = attestation* ]] || return 1 ;;
    *) [ "$verified" = "attestation@$commit" ] || return 1 ;;
  esac
  [[ $archive =~ ^[0-9a-f]{64}$ ]] || return 1
  [ "$(checksum "$program")" = "$expected" ] || return 1
  printf 'ghcr-push %s is here already, of an archive with the SHA-256 %s; verified: %s\n' \
    "$version" "$archive" "$verified"
}

case "$INPUT_VERIFY" in
  attestation | checksum) ;;
  *) fail "verify is \"$INPUT_VERIFY\", which is neither \"attestation\" nor \"checksum\"" ;;
esac

if [ "$INPUT_VERSION" = installed ]; then
  program=$(command -v ghcr-push) || fail 'version is "installed", and there is no ghcr-push on PATH'
  finish "$program"
fi

# Who names a release trusts its tag; who names none trusts what the action is pinned by.
commit=
if [ -z "$INPUT_VERSION" ]; then
  INPUT_VERSION=$OWN_VERSION
  if [[ $INPUT_VERIFY = attestation && $ACTION_REF =~ ^[0-9a-f]{40}$ ]]; then
    commit=$ACTION_REF
  fi
fi
version=${INPUT_VERSION#v}
if ! [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
  fail "version is \"$INPUT_VERSION\", which is neither a release such as 0.1.0 nor \"installed\""
fi
target=$(target) || fail "there is no release for $RUNNER_OS on $RUNNER_ARCH"

tools=${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}
extension=
ending=tar.gz
if [ "$RUNNER_OS" = Windows ]; then
  extension=.exe
  ending=zip
  if command -v cygpath >/dev/null; then
    tools=$(cygpath --unix "$tools")
  fi
fi

parent=$tools/ghcr-push/$REPOSITORY/$version
directory=$parent/$target
program=$directory/ghcr-push$extension
# In one line: how the archive was verified, its SHA-256, and that of the program.
record=$directory/verified
name=ghcr-push-$target-v$version
release=$GITHUB_SERVER_URL/$REPOSITORY/releases/download/v$version

if ! is_verified; then
  mkdir -p "$parent"
  staging=$(mktemp -d "$parent/.incomplete.XXXXXX")
  # On Windows, a program that another job runs cannot be removed, which is no reason to fail.
  trap 'rm -rf "$staging" || true' EXIT
  cd "$staging"
  download SHA256SUMS
  download "$name.$ending"
  verify_checksum "$name.$ending"
  if [ "$INPUT_VERIFY" = attestation ]; then
    verify_attestation "$name.$ending"
  fi
  if [ "$ending" = zip ]; then
    unzip -q "$name.zip"
  else
    tar -xzf "$name.tar.gz"
  fi
  [ -x "$name/ghcr-push$extension" ] || fail "$name.$ending holds no $name/ghcr-push$extension"
  printf '%s %s %s\n' "$INPUT_VERIFY${commit:+@$commit}" "$(checksum "$name.$ending")" "$(checksum "$name/ghcr-push$extension")" \
    >"$name/verified"
  # Another job of the same machine may have been faster. What is there and does not suffice is moved away and
  # not changed, since such a job may be running it.
  if ! is_verified; then
    if [ -e "$directory" ]; then
      mv "$directory" "$staging/replaced" || fail "$directory is not what was verified, and cannot be replaced"
    fi
    mv "$name" "$directory"
  fi
  cd "$parent"
fi

# Later steps have the tool as well.
if command -v cygpath >/dev/null; then
  cygpath --windows "$directory" >>"$GITHUB_PATH"
else
  printf '%s\n' "$directory" >>"$GITHUB_PATH"
fi
finish "$program"
