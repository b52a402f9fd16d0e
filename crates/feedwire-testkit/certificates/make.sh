#!/usr/bin/env bash
# Makes the certificates that tests serve and trust. They are secret from nobody and good for nothing else.
# One ends before 2050 and one after it: X.509 writes these dates in different ways.
set -euo pipefail
cd "$(dirname "$0")"
made=$(mktemp -d)
trap 'rm -r "$made"' EXIT

key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

cat >"$made/config" <<END
[ca]
default_ca = tests
[tests]
database = $made/index
serial = $made/serial
new_certs_dir = $made
default_md = sha256
policy = policy
[policy]
commonName = supplied
END
: >"$made/index"
echo 01 >"$made/serial"

# sign NAME KEY END EXTENSIONS ARGUMENTS...
sign() {
    openssl req -new -key "$2" -subj "/CN=Feedwire tests: $1" -out "$made/$1.csr"
    printf '%b' "$4" >"$made/extensions"
    openssl ca -config "$made/config" -batch -notext -startdate 20200101000000Z -enddate "$3" \
        -extfile "$made/extensions" -in "$made/$1.csr" -out "$1.pem" "${@:5}" 2>/dev/null
}

for authority in authority stranger; do
    key "$made/$authority.key"
    sign "$authority" "$made/$authority.key" 21200101000000Z \
        'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' \
        -selfsign -keyfile "$made/$authority.key"
done

# certificate NAME NAMES END
certificate() {
    key "$1.key"
    sign "$1" "$1.key" "$3" "basicConstraints=critical,CA:FALSE\nsubjectAltName=$2\n" \
        -cert authority.pem -keyfile "$made/authority.key"
}

local=DNS:localhost,IP:127.0.0.1,IP:::1
certificate server "$local" 20491231235959Z
certificate renewed "$local" 21000101000000Z
certificate expired "$local" 20210101000000Z
certificate elsewhere DNS:feeds.example.org 21000101000000Z
