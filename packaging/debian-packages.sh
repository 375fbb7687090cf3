# Sourced by ./demo and ./check: what a Debian 12 needs, and how it is installed where it is missing.
# shellcheck shell=bash disable=SC2034
build_packages=(g++ cmake ninja-build libcli11-dev libfmt-dev libc-ares-dev libssl-dev libyaml-cpp-dev libzstd-dev
                nlohmann-json3-dev zlib1g-dev python3)
test_packages=(catch2 knot libnet-ssleay-perl librapidcheck-dev postfix python3-jsonschema swaks unbound python3-yaml iprange grepcidr
               iptables ipset iproute2) # the last three: the kernel as an oracle
clang_packages=(clang-19 libclang-rt-19-dev clang-format-19 llvm-19) # sanitizers, fuzzers, formatting
tidy_packages=(clang-19 clang-tidy-19) # the preset "tidy"

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

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
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
}
