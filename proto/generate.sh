#!/bin/sh
# protoc-c, then one cast in its headers that clang's -Wcast-qual finds in every file that uses an INIT macro.
# generate.sh PROTOC OUTDIR INPUT NAME
set -eu
"$1" --c_out="$2" --proto_path="$(dirname "$3")" "$3"
sed -i 's/(char \*)protobuf_c_empty_string/(char *)(__UINTPTR_TYPE__)protobuf_c_empty_string/g' "$2/$4.pb-c.h"
