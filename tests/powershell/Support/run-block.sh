#!/bin/sh
# run-block.sh CHECKOUT FILE: runs a document's commands in the checkout. As root, what they change in the machine's folders is
# written to a layer above them that nothing else sees.
set -eu
if [ "$(id -u)" -eq 0 ] && [ "${UMPIN_TEST_LAYER:-}" != there ]; then
  UMPIN_TEST_LAYER=there exec unshare --mount -- sh "$0" "$@"
fi
if [ "${UMPIN_TEST_LAYER:-}" = there ]; then
  layer=$(mktemp -d)
  mount -t tmpfs none "$layer"
  for folder in etc var opt; do
    mkdir -p "$layer/$folder.upper" "$layer/$folder.work"
    mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$layer/$folder.upper,workdir=$layer/$folder.work" "/$folder"
  done
  # What a machine has that needs umpin: an administrator, and messages.
  useradd tony
  mkdir -p /var/lib/umpin/pickup
  echo 'To: tonysmith@contoso.com' >/var/lib/umpin/pickup/20261130T091502.123Z-0123456789abcdef0123456789abcdef.eml
fi
cd "$1"
PATH="$1/bin:$PATH" exec sh -eu "$2"
