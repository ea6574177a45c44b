#!/bin/sh
# Puts the sources of the firmware, in the versions of versions.env and versions/VERSION.env, into DEST:
#   DEST/micropython (with lib/pico-sdk, lib/tinyusb, lib/mbedtls) and DEST/picotool.
# usage: get_sources.sh DEST [VERSION]     VERSION of MicroPython: without it, that of versions.env
#
# MicroPython, pico-sdk and tinyusb come from the git submodule micropython/upstream where it is populated with that
# version, else from Debian's source packages. mbedtls and picotool come from Debian either way: picotool is no part of
# MicroPython, and Debian keeps only the newest mbedtls 3.6, so both ways take that. DEST is always a copy;
# nothing is edited in the submodule.
#
# Debian's way needs no root and changes nothing outside DEST: a private apt configuration, with the mirror of
# the system's own apt sources, every package verified by apt against the Debian archive keys.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=micropython/versions.env
. "$here/versions.env"
MICROPYTHON_VERSION=${2:-$MICROPYTHON_VERSION}
pins=$here/versions/$MICROPYTHON_VERSION.env
upstream=$here/upstream
keyring=${DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}

say() { echo "sources: $*"; }
fail() { echo "get_sources.sh: $*" >&2; exit 1; }

[ -r "$pins" ] || fail "MicroPython $MICROPYTHON_VERSION: expected one of$(printf ' %s' "$here"/versions/*.env |
    sed 's|[^ ]*/||g; s|\.env||g'), as micropython/versions pins them"
# shellcheck source=micropython/versions/1.25.0.env
. "$pins"
dest=$(mkdir -p "${1:?usage: get_sources.sh DEST [VERSION]}" && cd "$1" && pwd)

# The values of the #defines or set()s NAME... in FILE, joined by dots: 1.25.0
version_in() {
    file=$1; shift; version=
    for name; do
        version=$version${version:+.}$(sed -nE "s/^(#define +|set\()$name +\"?([^\")]*)\"?\)?\$/\2/p" "$file" | head -n 1)
    done
    echo "$version"
}
micropython_in() { # FOLDER
    version_in "$1/py/mpconfig.h" MICROPY_VERSION_MAJOR MICROPY_VERSION_MINOR MICROPY_VERSION_MICRO
}

# The way, and all that decides the result; DEST is complete if its stamp says the same.
way=debian
if [ -e "$upstream/py/mpconfig.h" ]; then
    has=$(micropython_in "$upstream")
    if [ "$has" = "$MICROPYTHON_VERSION" ]; then
        way=submodule
    else
        say "micropython/upstream has MicroPython $has, so $MICROPYTHON_VERSION comes from Debian"
    fi
fi
stamp="$way $MICROPYTHON_VERSION $(cat "$here/versions.env" "$pins" "$0" | cksum)"
[ "$(cat "$dest/stamp" 2>/dev/null)" = "$stamp" ] && touch "$dest/stamp" && exit 0
rm -rf "$dest/stamp" "$dest/missing" "$dest/micropython" "$dest/picotool"

# The Debian main archive in the system's apt sources; read from the files where apt has no lists yet.
debian_mirror() {
    {
        # shellcheck disable=SC2016 # apt's own variables
        apt-get indextargets --no-release-info --format '$(REPO_URI) $(COMPONENT)' 2>/dev/null |
            awk '$2 == "main" { print $1 }'
        cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
            grep -v '^ *#' | grep -oE '[a-z+]+:[^ ]*/debian/?( |$)' | tr -d ' '
    } | grep -m1 -E '/debian/?$'
}

# suite_of PACKAGE: where the pins say that it comes from
suite_of() { eval "echo \"\${DEBIAN_$1_SUITE:-\$DEBIAN_SUITE}\""; }

# apt's whole state lies in DEST/apt; with APT_CONFIG pointing there apt-get knows the pinned suites only.
configure_apt() {
    [ -r "$keyring" ] || fail "no Debian archive keys at $keyring: apt-get install debian-archive-keyring"
    mirror=$(debian_mirror) || fail "no Debian archive in this system's apt sources (/etc/apt/sources.list*)"
    apt=$dest/apt
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/sources" "$dest/packages"
    : >"$apt/status"
    suites=$(for package in MBEDTLS MICROPYTHON PICO_SDK PICOTOOL TINYUSB; do suite_of $package; done | sort -u | xargs)
    cat >"$apt/sources/debian.sources" <<END
Types: deb deb-src
URIs: $mirror
Suites: $suites
Components: main
Signed-By: $keyring
END
    cat >"$apt/apt.conf" <<END
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Acquire::Languages "none";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::Retries "3";
APT::Sandbox::User "";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
END
    export APT_CONFIG="$apt/apt.conf" LC_ALL=C
    say "reading the package lists of Debian $suites"
    apt-get -qq -o APT::Update::Error-Mode=any update
}

# --tar-only: the release tarballs without Debian's packaging, which not every mirror keeps.
fetch_source() { say "fetching $1"; (cd "$dest/packages" && apt-get -qq source --tar-only --only-source "$1"); }
fetch_binary() { say "fetching $1"; (cd "$dest/packages" && apt-get -qq download "$1"); }

# A suite that moves drops what it replaces. DEST/missing lets tests of that version say so instead of failing.
gone() {
    sentence="Debian $(suite_of MICROPYTHON) no longer has MicroPython $MICROPYTHON_VERSION (package $DEBIAN_MICROPYTHON):\
 pin what it has now (CONTRIBUTING.md, \"Go to another MicroPython\"), or check its release out in micropython/upstream"
    echo "$sentence" >"$dest/missing"
    fail "$sentence"
}

unpack() { # TARBALL FOLDER
    rm -rf "$2" && mkdir -p "$2" && tar -xf "$1" -C "$2" --strip-components=1
}

unpack_deb() { # PACKAGE-FILE NAME FOLDER: /usr/src/NAME of the package becomes FOLDER
    rm -rf "$3" "$dest/deb" && dpkg-deb -x "$1" "$dest/deb"
    mv "$dest/deb/usr/src/$2" "$3" && rm -rf "$dest/deb"
}

take_submodule() {
    [ -e "$upstream/lib/pico-sdk/pico_sdk_init.cmake" ] && [ -e "$upstream/lib/tinyusb/src/tusb_option.h" ] ||
        fail "micropython/upstream has no pico-sdk or tinyusb: git -C micropython/upstream submodule update" \
            "--init --depth 1 lib/pico-sdk lib/tinyusb"
    say "copying micropython/upstream"
    mkdir -p "$dest/micropython"
    tar -C "$upstream" --exclude=.git --exclude=./lib/mbedtls --exclude='build-*' --exclude=./mpy-cross/build \
        -cf - . | tar -C "$dest/micropython" -xf -
}

take_debian() {
    apt-cache showsrc --only-source micropython 2>/dev/null | grep -qxF "Version: $DEBIAN_MICROPYTHON" || gone
    fetch_source "micropython=$DEBIAN_MICROPYTHON"
    fetch_binary "pico-sdk-source=$DEBIAN_PICO_SDK"
    fetch_binary "tinyusb-source=$DEBIAN_TINYUSB"
    say "unpacking"
    unpack "$dest"/packages/micropython_*.orig.tar.* "$dest/micropython"
    unpack_deb "$dest"/packages/pico-sdk-source_*.deb pico-sdk "$dest/micropython/lib/pico-sdk"
    unpack_deb "$dest"/packages/tinyusb-source_*.deb tinyusb "$dest/micropython/lib/tinyusb"
}

# expect NAME WANTED GOT
expect() { [ "$2" = "$3" ] || fail "$1: expected version $2, got ${3:-none} (from $way; pinned in micropython/versions.env)"; }

verify() {
    m=$dest/micropython
    expect MicroPython "$MICROPYTHON_VERSION 0" \
        "$(micropython_in "$m") $(version_in "$m/py/mpconfig.h" MICROPY_VERSION_PRERELEASE)"
    expect pico-sdk "$PICO_SDK_VERSION" "$(version_in "$m/lib/pico-sdk/pico_sdk_version.cmake" \
        PICO_SDK_VERSION_MAJOR PICO_SDK_VERSION_MINOR PICO_SDK_VERSION_REVISION)"
    expect tinyusb "$TINYUSB_VERSION" "$(version_in "$m/lib/tinyusb/src/tusb_option.h" \
        TUSB_VERSION_MAJOR TUSB_VERSION_MINOR TUSB_VERSION_REVISION)"
    expect mbedtls "$MBEDTLS_SERIES" "$(version_in "$m/lib/mbedtls/include/mbedtls/build_info.h" \
        MBEDTLS_VERSION_MAJOR MBEDTLS_VERSION_MINOR)"
    expect picotool "$PICOTOOL_VERSION" "$(version_in "$dest/picotool/CMakeLists.txt" PICOTOOL_VERSION)"
}

say "MicroPython $MICROPYTHON_VERSION, pico-sdk $PICO_SDK_VERSION, tinyusb $TINYUSB_VERSION ($way)"
rm -rf "$dest/packages"
configure_apt
fetch_source "mbedtls/$(suite_of MBEDTLS)"
fetch_source "picotool=$DEBIAN_PICOTOOL"
"take_$way"
unpack "$dest"/packages/mbedtls_*.orig.tar.* "$dest/micropython/lib/mbedtls"
unpack "$dest"/packages/picotool_*.orig.tar.* "$dest/picotool"
verify
rm -rf "$dest/packages" "$dest/apt"
echo "$stamp" >"$dest/stamp"
say "ready in $dest"
