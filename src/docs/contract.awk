# awk -f contract.awk CONTRACT.md: with an anchor at each rule, for the headers to refer to.
match($0, /^- [A-Z][0-9]+/) {
  rule = substr($0, 3, RLENGTH - 2)
  $0 = "- @anchor " rule " **" rule "**" substr($0, RLENGTH + 1)
}
{ print }
