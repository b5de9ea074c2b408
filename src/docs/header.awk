# awk -f header.awk include/towline/NAME.h: the header as Doxygen wants it. The headers themselves are for people to
# read, so their comments are plain:
#
#     the first one          what the page of the header begins with
#     ---- Title ----        a section: a page of its own, under the header's
#     any other              is of what follows, as far as the next empty line; after code it is of that line
#     [F2]                   a rule of CONTRACT.md
function text(line) {
  if (line ~ /^ \*     /) return line
  gsub(/[\\<@]/, "\\\\&", line)
  gsub(/tow_[a-z_]+/, "#&", line)
  while (match(line, /#tow_[a-z_]*(_[^a-z_]|_$|\.[a-z])/)) line = substr(line, 1, RSTART - 1) substr(line, RSTART + 1)
  for (other in headers) gsub("towline/" other "\\.h", "@ref " other " \"&\"", line)
  gsub(/[A-Z]+\.md/, "[&](&)", line)
  while (match(line, /\[[A-Z][0-9]+(, [A-Z][0-9]+)*\]/)) {
    rules = substr(line, RSTART + 1, RLENGTH - 2)
    gsub(/[A-Z]/, "@ref &", rules)
    line = substr(line, 1, RSTART - 1) "\\[" rules "\\]" substr(line, RSTART + RLENGTH)
  }
  return line
}

BEGIN {
  split("towline memory uv framing host layer", names)
  for (i in names) headers[names[i]]
  contents = " *\n * The headers: @ref towline, the hosts @ref memory and @ref uv, the layer @ref framing; for writers of\n" \
    " * hosts and of layers @ref host and @ref layer. Beside them: <a href=\"../js/index.html\">Towline in JavaScript</a>.\n" \
    " */\n/** @defgroup towline towline/towline.h\n * Protocols, transports, the loop."
}

FNR == 1 {
  name = FILENAME; sub(/.*\//, "", name); id = name; sub(/\.h/, "", id)
  if (id == "towline") print "/** @mainpage Towline in C"
  else print "/** @defgroup " id " towline/" name
  print text(" * " substr($0, 4))
  open_comment = first = 1
  next
}

# The table of errors becomes the enum that it stands for.
/^  X\(E/ {
  split($0, cell, /[(,] */)
  says = $0; sub(/^[^"]*"/, "", says); sub(/".*/, "", says)
  errors = errors "TOW_" cell[2] " = " cell[3] ", /**< " (says == "" ? cell[2] : says) " */ "
}
/^#define TOW_ERRORS/ { in_errors = 1 }
in_errors { in_errors = /\\$/; next }
/TOW_ERROR_CODE/ && !/^enum/ { next }
/^enum \{ TOW_ERRORS/ { print "/** What a call answers that has failed. */ enum { " errors "};"; next }

!open_comment && /^\/\* ---- / {
  title = $0; sub(/^\/\* ---- /, "", title); closed = sub(/ -*( \*\/)?$/, "", title) && /\*\/$/; sub(/ -+$/, "", title)
  print (section++ ? "/** @} */ " : "") "/** @defgroup " id section " " title
  if (closed) print " * @{ */"
  else open_comment = opens_section = 1
  next
}
open_comment {
  ends = sub(/ ?\*\/$/, "")
  if (/^ \*     / != code) { print " *"; code = !code }
  if (!ends) { print text($0); next }
  open_comment = code = 0
  print text($0) (first && id == "towline" ? contents : "")
  print (first || opens_section ? " * @{ */" : " */")
  first = opens_section = 0
  next
}

/^#pragma GCC visibility pop/ { print (section ? "/** @} */ " : "") "/** @} */"; next }
/^#pragma/ { next }
/^$/ { told = ""; print; next }
/^ *\/\* / {
  if (/^ /) told_field = "first"
  else told = "first"
  open_comment = !/\*\/$/
  indent = $0; sub(/\/\*.*/, "", indent)
  sub(/^ *\/\* /, "")
  if (!open_comment) sub(/ \*\/$/, "")
  print indent "/** " text($0) (open_comment ? "" : " */")
  next
}

# Of several declarations under one comment each has it.
function same(as, ends) {
  if (as != "" && !/ \/\* /) printf "/** @copydoc %s */%s", as, ends
}
/^(typedef )?(struct|enum) tow_[a-z_]+ \{/ || /^[a-z].*[ *(]tow_[a-z_]+\)?\(/ || /^extern const/ || /^#define TOW_/ {
  declared = $0
  if (/^#/) declared = $2
  if (!sub(/^typedef [^{]*\(\*/, "", declared)) { sub(/ \{.*|\(.*|;.*/, "", declared); sub(/.*[ *]/, "", declared) }
  sub(/[^a-zA-Z_].*/, "", declared)
  if (told == "first") told = declared
  else same(told, /^#/ ? "\n" : " ")
}
/^(typedef )?(struct|enum) .*\{$/ { body = /tow_/ ? declared : "enum"; told_field = told }
/^\}/ { body = "" }
body != "" && /^  [a-z].*\(\*/ {
  field = $0; sub(/.*\(\*/, "", field); sub(/\).*/, "", field)
  if (told_field == "first") told_field = body "::" field
  else same(told_field, " ")
}
# What a plain field is, or a constant, its name says; a callback has to be explained. Of several on a line each is one.
body != "" && /^  [a-z].*;/ && !/\(\*/ {
  comment = /;.*\/\*/ ? $0 : told_field == "first" ? "" : "/* \342\200\213 */"
  sub(/^[^;]*;[^\/]*/, "", comment)
  sub(/;.*/, "")
  count = split($0, declarator, ", ")
  type = declarator[1]; sub(/[^ ]*$/, "", type)
  $0 = declarator[1] "; " comment
  for (i = 2; i <= count; i++) {
    print text_after($0)
    $0 = type declarator[i] "; " comment
  }
  if (told_field == "first") told_field = ""
}
body != "" && /^  TOW_.*,$/ && !/\/\*/ { $0 = $0 " /* \342\200\213 */" }

function text_after(line,  at) {
  at = index(line, "/* ")
  return at ? substr(line, 1, at - 1) "/**< " text(substr(line, at + 3)) : line
}
/[^ ] +\/\* .*\*\/$/ { print text_after($0); next }
{ print }
