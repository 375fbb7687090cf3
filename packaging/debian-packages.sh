# Sourced by ./demo and ./check: what a Debian 12 needs, and how it is installed where it is missing.
# shellcheck shell=bash disable=SC2034
build_packages=(g++ cmake ninja-build libboost1.81-dev libc-ares-dev libcli11-dev libfmt-dev libsqlite3-dev
                libssl-dev libyaml-cpp-dev libzstd-dev nlohmann-json3-dev zlib1g-dev python3 openssl)
test_packages=(catch2 librapidcheck-dev python3-jsonschema python3-yaml iprange grepcidr
               iptables ipset iproute2 nftables # the kernel as an oracle
               postfix swaks libnet-ssleay-perl knot unbound # what the probe is tried on
               libgnutls-dane0 libidn12) # what Exim loads, see unpack_exim
clang_packages=(clang-19 libclang-rt-19-dev clang-format-19 llvm-19) # sanitizers, fuzzers, formatting
tidy_packages=(clang-19 clang-tidy-19) # the preset "tidy"

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# What a package would start as it is installed stays off: the tests run their own instances. (invoke-rc.d(8))
without_services() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [ -e "$policy" ]; then "$@"; return; fi
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
  "$@" || status=$?
  "${as_root[@]}" rm -f "$policy"
  return "$status"
}

# unpack_exim DIR: Exim cannot be installed beside Postfix, so its packages are unpacked only.
unpack_exim() {
  [ ! -x "$1/usr/sbin/exim4" ] || return 0
  command -v apt-get >/dev/null || return 0
  local folder
  folder=$(mktemp -d)
  if (cd "$folder" && apt-get download -q exim4-daemon-light exim4-base >&2); then
    mkdir -p "$1"
    for package in "$folder"/*.deb; do dpkg -x "$package" "$1"; done
  fi
  rm -rf "$folder"
}

# install_packages NAME...: asks apt only for what is missing, and nothing at all where nothing is.
install_packages() {
  local name as_root=() missing=()
  if ! command -v dpkg-query apt-get >/dev/null; then
    echo "this is not Debian: please see that these are installed: $*" >&2
    return 0
  fi
  for name in "$@"; do is_installed "$name" || missing+=("$name"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  echo "installing ${missing[*]}" >&2
  "${as_root[@]}" apt-get update -q >&2
  without_services "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
}
