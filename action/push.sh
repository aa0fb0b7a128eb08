#!/usr/bin/env bash
# Makes a command line of the action's inputs and becomes ghcr-push.
#
# Each input is data: an option's value stands in the same word as the option, and whatever an image or a
# reference begins with, it stands behind `--`.
#
# Bash 3.2 has to be enough: macOS has no later one.
set -euo pipefail

# Fails as the tool does on a mistake in its arguments.
fail() {
  printf '::error title=ghcr-push was not run::%s\n' "$1"
  exit 2
}

# Where the arguments pass through Git's bash on Windows, they stay as they are
# (https://www.msys2.org/docs/filesystem-paths/).
export MSYS_NO_PATHCONV=1 MSYS2_ARG_CONV_EXCL='*'

# A token of the workflow's own goes by its name, which tells the tool where it may go. Any other was meant
# for this push. An empty one is told by the tool: secrets are empty in runs for pull requests from forks.
if [ "$INPUT_TOKEN" = "$WORKFLOW_TOKEN" ]; then
  export GITHUB_TOKEN=$INPUT_TOKEN
else
  export GHCR_PUSH_TOKEN=$INPUT_TOKEN
fi
unset INPUT_TOKEN WORKFLOW_TOKEN

# Inputs may come from files that were written on Windows.
crlf=$'\r\n'
lf=$'\n'
cr=$'\r'
tab=$'\t'
for input in INPUT_ARGS INPUT_IMAGE INPUT_PLATFORMS INPUT_REFERENCES INPUT_TAGS; do
  text=${!input//$crlf/$lf}
  printf -v "$input" '%s' "${text%"$cr"}"
done

# Quotes and backslashes are read as a shell reads them
# (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02), and nothing is expanded.
word=
is_word=
quote=
for ((at = 0; at < ${#INPUT_ARGS}; at++)); do
  character=${INPUT_ARGS:at:1}
  case "$quote:$character" in
    ":'" | ':"') quote=$character is_word=1 ;;
    "':'" | '":"') quote= ;;
    "':"*) word+=$character ;;
    *:\\)
      at=$((at + 1))
      character=${INPUT_ARGS:at:1}
      case "$quote:$character" in
        # The line goes on.
        *:"$lf") ;;
        :?) word+=$character is_word=1 ;;
        '":'[\$\`\"\\]) word+=$character ;;
        # It stands for itself.
        *) word+=\\$character is_word=1 ;;
      esac
      ;;
    ': ' | ":$tab" | ":$lf")
      [ -z "$is_word" ] || set -- "$@" "$word"
      word=
      is_word=
      ;;
    *) word+=$character is_word=1 ;;
  esac
done
[ -z "$quote" ] || fail 'a quote in the input args is not closed'
[ -z "$is_word" ] || set -- "$@" "$word"

while read -r platform; do
  if [ -n "$platform" ]; then
    set -- "$@" "--platform=$platform"
  fi
done <<<"$INPUT_PLATFORMS"

# No tag has a slash, and every reference has one
# (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests).
references=
# shellcheck disable=SC2153 # It is another input than INPUT_ARGS.
while read -r tag; do
  case "$tag" in
    '') ;;
    */*) references+=$tag$'\n' ;;
    *) set -- "$@" "--tag=$tag" ;;
  esac
done <<<"$INPUT_TAGS"

set -- "$@" --

images=0
while read -r image; do
  if [ -n "$image" ]; then
    set -- "$@" "$image"
    images=1
  fi
done <<<"$INPUT_IMAGE"
[ "$images" = 1 ] || fail 'the input image is empty: it names the file to push'

references=$INPUT_REFERENCES$'\n'$references
[ -n "${references//[[:space:]]/}" ] ||
  fail 'the inputs references and tags name no repository to push to, such as ghcr.io/owner/name'
while read -r reference; do
  if [ -n "$reference" ]; then
    set -- "$@" "$reference"
  fi
done <<<"$references"

exec "$PROGRAM" "$@"
