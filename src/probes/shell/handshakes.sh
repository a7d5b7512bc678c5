# What the TLS ports of Kubernetes show of themselves: one handshake with each that is listened on, and not a byte
# beyond it. Who answers there may be anybody: one certificate is kept of it, and what was agreed on.
if [ -z "$t" ]; then rec "Y${T}timeout${T}absent"; return 0; fi
if ! command -v openssl >/dev/null; then rec "Y${T}openssl${T}absent"; return 0; fi
shake() {
  ! late || { lack "$1" timeout; return; }
  o=$({ timeout 3 openssl s_client -connect "$1"; echo "x$?"; } | cap 65536 |
    sed -n -e '/^x[0-9]*$/p' -e '/^New, /p' -e '/^ *Protocol *: /p' \
    -e '/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/p' | cap 16384)
  case $o in
  *'-----END CERTIFICATE-----'*) ;;
  *x124) lack "$1" timeout; return;;
  *) lack "$1" error; return;;
  esac
  nm "$1"; y=T$T$r
  nm "$(put "$o" | sed -n 's/^New, \([^,]*\), Cipher is \(.*\)/\1 \2/p' | sed 1q)"; y=$y$T$r
  # Where it is told, this is exact; old versions know one word for all above.
  nm "$(put "$o" | sed -n 's/^ *Protocol *: *//p' | sed 1q)"; rec "$y$T$r"
  pem "$1" "$o"
}
hp=" 6443 10250 10257 10259 2379 2380 $(texts sed -n \
  's/.*--secure-port[= ]["'\'']\{0,1\}\([0-9]\{1,5\}\).*/\1/p' | tr '\n' ' ') "
set -- $(run grep -h ' 0A ' /proc/net/tcp /proc/net/tcp6 |
  sed -n 's/^ *[0-9]*: \([0-9A-F]\{8,32\}\):\([0-9A-F]\{4\}\) .*/\1 \2/p' | sort -u | head -n 2000)
case $(uname -m) in s390*|ppc64|mips|mips64) f='s/x/x/';; *) f='s/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/g';; esac
hs=' ' i=0
while [ $# -gt 1 ]; do
  b=$((0x$2)) a=$1; shift 2
  case $hp in *" $b "*) ;; *) continue;; esac
  a=$(put "$a" | sed "$f")
  case $a in
  00000000|00000000000000000000000000000000) a=127.0.0.1;;
  00000000000000000000000000000001) a='[::1]';;
  ????????) a=$(printf '%d.%d.%d.%d' $(put "$a" | sed 's/../0x& /g'));;
  *) a=[$(put "$a" | sed -e 's/..../&:/g' -e 's/:$//')];;
  esac
  case $hs in *" $a:$b "*) continue;; esac
  hs="$hs$a:$b " i=$((i + 1))
  if [ $i -le 16 ]; then shake "$a:$b"; else lack "$a:$b" budget; fi
  [ $i -lt 40 ] || break
done
