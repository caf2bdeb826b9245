#!/bin/sh
# Gets the server programs that tests start for themselves (OpenSSH's sshd), unless they are here. Starts no service.
set -eu
cd "$(dirname "$0")/.."
for place in /usr/sbin/sshd /usr/local/sbin/sshd "$PWD/var/servers/usr/sbin/sshd"; do
  [ -x "$place" ] && exit 0
done
command -v apt-get >/dev/null || { echo "no sshd here: install OpenSSH's server with your system's package manager" >&2; exit 1; }
if [ "$(id -u)" = 0 ]; then
  policy=/usr/sbin/policy-rc.d   # says no to every service that a package wants to start
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
  fi
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssh-server >/dev/null
else
  mkdir -p var/servers/packages
  ( cd var/servers/packages && apt-get download -qq openssh-server libwrap0 )
  for package in var/servers/packages/*.deb; do dpkg -x "$package" var/servers; done
fi
for place in /usr/sbin/sshd "$PWD/var/servers/usr/sbin/sshd"; do
  [ -x "$place" ] && exit 0
done
echo "OpenSSH's server could not be had; the tests of transports need it" >&2
exit 1
