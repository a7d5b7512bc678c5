# $1: a word that must be in the file: whoever can name a file here must not get another one read.
only() {
  if open "$2" && ! run grep -q "$1" "$2"; then lack "$2" kind; return 1; fi
  file "$2" 262144
}
# Who encrypts what, line by line, without any value: only words that an EncryptionConfiguration may hold pass,
# its other fields are left out, and for what is none of these stands a question mark.
structure() {
  open "$1" || { no "$1"; return; }
  output "$1" 65536 sed -n -e 's/^#.*//;s/[[:space:]]#.*//;s/[[:space:]]*$//;/^$/d' \
    -e '/^[ -]*\(resources\|providers\|identity\|aescbc\|aesgcm\|secretbox\|kms\|keys\):$/bp' \
    -e '/^[ -]*identity:[ ]*{[ ]*}$/bp' -e '/^---$/bp' \
    -e '/^ *- *\(["'\'']\{0,1\}\)[a-z*][a-z0-9.*-]\{0,61\}\1$/bp' \
    -e '/^[ -]*\(kind\|apiVersion\|name\|secret\|endpoint\|cachesize\|timeout\): *[^ |>&*!{[]/d' \
    -e 's/.*/?/' -e :p -e p "$1"
}
policies() { at admission_config "$1"; }
i=0; while [ $i -lt $gn ]; do
  i=$((i + 1)); eval "f=\$g$i"; a=${f%% *} f=${f#* } y=
  case $a in
  audit-policy-file) y=audit_policy;;
  audit-log-path) y=audit_log;;
  audit-webhook-config-file) y=audit_webhook;;
  admission-control-config-file) y=admission_config;;
  encryption-provider-config) y=encryption_config;;
  authentication-config) y=authentication_config;;
  authorization-config) y=authorization_config;;
  token-auth-file) y=token_file;;
  esac
  [ -n "$y" ] || continue
  at "$y" "$f" "$a"
  case $y in
  audit_policy) only 'audit\.k8s\.io' "$f";;
  authentication_config|authorization_config) only 'apiserver\.config\.k8s\.io' "$f";;
  encryption_config) structure "$f";;
  admission_config)
    only 'AdmissionConfiguration' "$f" || continue
    # Its plugins may have files and folders of their own; they stand beside it, or are named from the root on.
    o=$(run sed -n 's/^[[:space:]-]*\(path\|staticManifestsDir\):[[:space:]"]*\([^"[:space:]]\{1,\}\).*/\1 \2/p' "$f")
    IFS=$N
    for z in $o; do
      IFS=$D
      v=${z#* }
      case $v in /*) ;; *) v=${f%/*}/$v;; esac
      case $z in
      path*) at admission_config "$v"; only 'config\.k8s\.io' "$v";;
      *) inside admission_dir "$v" policies;;
      esac
    done
    IFS=$D
    ;;
  esac
done
looks
