#!/bin/bash
# Runs the command of a systemd service as systemd would: its account, its environment and nothing else of the caller's, a read-only
# file system but for ReadWritePaths, CacheDirectory and a private /tmp, and hidden homes.
#   run-unit.sh UNIT STORE PWSH-FOLDER MODULES SCRIPT [ARGUMENT-OF-PWSH...]
# STORE lies at /var/lib/umpin meanwhile and is given to the account. With arguments, PowerShell gets these instead of the unit's.
set -euo pipefail
if [ "${UMPIN_UNIT_NAMESPACE:-}" != 1 ]; then
  UMPIN_UNIT_NAMESPACE=1 exec unshare --mount --propagation private "$0" "$@"
fi
unit=$1 store=$2 pwsh=$3 modules=$4 script=$5
shift 5
text=$(<"$unit")
setting() { sed -n "s/^$1=//p" <<<"$text"; }

# A system account that was made a moment ago, in copies of the account files.
uid=64123
accounts=$(mktemp -d)
cp /etc/passwd /etc/group "$accounts"
sed -i '/^umpin:/d' "$accounts/passwd" "$accounts/group"
echo "$(setting User):x:$uid:$uid::/nonexistent:/usr/sbin/nologin" >>"$accounts/passwd"
echo "$(setting User):x:$uid:" >>"$accounts/group"
mount --bind "$accounts/passwd" /etc/passwd
mount --bind "$accounts/group" /etc/group

# What is installed, and the folders that the unit names.
mount -t tmpfs tmpfs /mnt
mkdir /mnt/opt /mnt/opt/umpin /mnt/opt/umpin/modules /mnt/opt/pwsh /mnt/lib /mnt/lib/umpin /mnt/cache
cp "$script" /mnt/opt/umpin
mount --bind "$modules" /mnt/opt/umpin/modules
mount --bind "$pwsh" /mnt/opt/pwsh
chown -R "$uid:$uid" "$store"
mount --bind "$store" /mnt/lib/umpin
mkdir "/mnt/cache/$(setting CacheDirectory)"
chown "$uid:$uid" "/mnt/cache/$(setting CacheDirectory)"
chmod "$(setting CacheDirectoryMode)" "/mnt/cache/$(setting CacheDirectory)"
mount --rbind /mnt/opt /opt
mount --rbind /mnt/lib /var/lib
mount --rbind /mnt/cache /var/cache
umount -R /mnt

# ProtectSystem=strict, ProtectHome=true, PrivateTmp=true.
[ "$(setting ProtectSystem) $(setting ProtectHome) $(setting PrivateTmp)" = 'strict true true' ]
cut -d ' ' -f 5 /proc/self/mountinfo | sort -u | while read -r point; do
  case $point in
    /proc | /proc/* | /dev | /dev/* | /sys | /sys/*) ;;
    *) mount -o remount,bind,ro "$point" 2>/dev/null || true ;;
  esac
done
for path in $(setting ReadWritePaths) "/var/cache/$(setting CacheDirectory)"; do
  mount --bind "$path" "$path"
  mount -o remount,bind,rw "$path"
done
for home in /home /root; do mount -t tmpfs -o mode=000,ro tmpfs "$home"; done
mount -t tmpfs -o mode=1777 tmpfs /tmp

read -r program arguments < <(setting ExecStart)
[ "$program" = /usr/bin/pwsh ]
# shellcheck disable=SC2086
if [ $# -eq 0 ]; then set -- $arguments; fi
cd /
# shellcheck disable=SC2046
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups --no-new-privs \
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/nonexistent SHELL=/usr/sbin/nologin \
  USER="$(setting User)" LOGNAME="$(setting User)" $(setting Environment) \
  /opt/pwsh/pwsh "$@"
