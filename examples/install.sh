#!/bin/sh
# What a new user does, with the package as it would be published: packs it, installs it into copies of the example
# projects in a temporary folder, and runs their tests and one command. `.ci/run` calls it, after the build.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

npm pack --silent --ignore-scripts --pack-destination "$folder" >/dev/null
for runner in vitest jest; do
  cp -R "examples/$runner" "$folder/$runner"
  (
    cd "$folder/$runner"
    npm install --silent --no-audit --no-fund "$folder"/strata-*.tgz
    npm test
    npx strata --version
  )
done
