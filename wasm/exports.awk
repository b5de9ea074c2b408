# awk -f exports.awk MAP exports.txt: the exports of a module whose link map lists these symbols, each at a line's end.
FILENAME != "wasm/exports.txt" { linked[$NF] = 1; next }
/^#/ || NF == 0 { next }
NF == 1 || $2 in linked { print $1 }
