#!/usr/bin/env bash
# check.sh KIND: one way to find lacuna, tried as a user would. The environment comes from CMakeLists.txt beside it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$FOLDER" # an old cache would hide what a first configuration does

consumer() { # consumer PROJECT [CMAKE ARGUMENTS]
  # Debug for its assertions; nobody debugs it, and the notes of a debugger are most of its objects.
  "$CMAKE" -S "$here/$1" -B "$FOLDER" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 "${@:2}"
  "$CMAKE" --build "$FOLDER"
  "$FOLDER/consumer"
  [[ ! -e $FOLDER/consumer_precompiled ]] || "$FOLDER/consumer_precompiled"
}

case $1 in
  find_package) consumer find_package -DCMAKE_PREFIX_PATH="$PREFIX" -DEXPECTED="$PREFIX" -DVERSION="$VERSION" -DTRY_PRECOMPILED="$TRY_PRECOMPILED" ;;
  build_tree) consumer find_package -Dlacuna_ROOT="$LACUNA_BINARY_DIR" -DEXPECTED="$LACUNA_BINARY_DIR" -DVERSION="$VERSION" ;;
  add_subdirectory) consumer add_subdirectory -DLACUNA="$LACUNA_SOURCE_DIR" ;;
  pkg_config)
    command -v pkg-config >/dev/null || { echo "pkg-config is not installed"; exit 77; }
    export PKG_CONFIG_PATH=$PREFIX/share/pkgconfig
    [[ $(pkg-config --modversion lacuna) == "$VERSION" ]]
    mkdir -p "$FOLDER"
    # The prefix holds a copy of the headers: the flags must lead there and not to the checkout.
    read -ra words <<<"$(pkg-config --cflags --libs lacuna)"
    [[ $(realpath "${words[0]#-I}") == "$PREFIX/include" ]] || { echo "unexpected flags: ${words[*]}"; exit 1; }
    "$CXX" -std=c++20 "$here/main.cpp" "${words[@]}" -o "$FOLDER/consumer"
    "$FOLDER/consumer"
    ;;
esac
