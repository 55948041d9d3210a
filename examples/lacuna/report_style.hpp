/// The style sheet of reports: light and dark by the reader's system, and for paper. No font, image or script from
/// elsewhere.
#pragma once

namespace program {

inline constexpr const char* report_style = R"css(
:root {
  --paper: #ffffff; --card: #f6f7f9; --ink: #1d2129; --soft: #5c6470; --line: #d9dde3; --bar: #cfdcea; --best: #0b6e4f;
  --k0: #0072b2; --k1: #d55e00; --k2: #009e73; --k3: #a8488a; --k4: #b8860b; --k5: #3f51b5; --k6: #7a4b2a; --k7: #00838f;
  --k8: #b71c1c; --quiet: #8a9099;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171c; --card: #1c2128; --ink: #e4e7eb; --soft: #9aa3af; --line: #343b45; --bar: #2b4257; --best: #5fd3a5;
    --k0: #56b4e9; --k1: #ff8a4c; --k2: #34c79a; --k3: #e28cc6; --k4: #f0c041; --k5: #9fa8f5; --k6: #c79a73;
    --k7: #4dd0e1; --k8: #ef7b7b; --quiet: #7d8590;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, "Segoe UI", "Helvetica Neue",
  "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 27px; line-height: 1.25; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 44px 0 10px; padding-top: 14px; border-top: 1px solid var(--line); }
h3 { font-size: 15px; margin: 24px 0 6px; }
p { margin: 6px 0 12px; max-width: 78ch; }
.lead { color: var(--soft); margin-bottom: 20px; }
.note { color: var(--soft); font-size: 13.5px; }
.facts { display: flex; flex-wrap: wrap; gap: 12px; margin: 18px 0 8px; padding: 0; list-style: none; }
.facts li { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 16px; min-width: 120px; }
.facts b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; }
.facts span { color: var(--soft); font-size: 13px; }
.wide { overflow-x: auto; margin: 8px 0 18px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: 5px 6px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
thead th { color: var(--soft); font-weight: 600; font-size: 13px; vertical-align: bottom; white-space: normal;
  border-bottom: 2px solid var(--line); }
tbody th { text-align: left; font-weight: 500; }
thead th:first-child { text-align: left; }
td small { color: var(--soft); font-size: 11.5px; }
td b { color: var(--best); }
table.text td { text-align: left; white-space: normal; }
table.text thead th { text-align: left; }
table.bars { width: 100%; min-width: 720px; table-layout: fixed; }
table.bars thead th { white-space: normal; overflow-wrap: anywhere; }
table.bars th:first-child { width: 22%; white-space: normal; overflow-wrap: anywhere; }
table.bars td { padding: 2px 8px; }
.cell { position: relative; display: block; padding: 1px 4px; }
.cell i { position: absolute; left: 0; top: 0; bottom: 0; background: var(--bar); border-radius: 2px; }
.cell span { position: relative; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 8px 0; padding: 0; font-size: 13.5px; }
.swatch { display: inline-block; width: 22px; height: 0; border-top: 3px solid; margin-right: 7px; vertical-align: middle; }
.swatch.quiet { border-top-style: dashed; }
.chart { width: 100%; max-width: 860px; height: auto; display: block; margin: 4px 0 18px; }
.chart text { font: 12px system-ui, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; fill: var(--soft);
  font-variant-numeric: tabular-nums; }
.chart text.title { fill: var(--ink); }
.chart text.name { fill: var(--ink); font-size: 13px; }
.grid { stroke: var(--line); stroke-width: 1; }
.axis { stroke: var(--soft); stroke-width: 1; }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
.line.quiet { stroke-dasharray: 5 4; }
.interval { stroke-width: 3; stroke-linecap: round; }
.band { opacity: 0.16; }
.k0 { --c: var(--k0); } .k1 { --c: var(--k1); } .k2 { --c: var(--k2); } .k3 { --c: var(--k3); } .k4 { --c: var(--k4); }
.k5 { --c: var(--k5); } .k6 { --c: var(--k6); } .k7 { --c: var(--k7); } .k8 { --c: var(--k8); } .quiet { --c: var(--quiet); }
.line, .interval { stroke: var(--c); }
.dot, .band, .bar { fill: var(--c); }
.swatch { border-color: var(--c); }
.several { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 8px 24px; }
.several .chart { margin: 0; }
.several h3 { margin: 12px 0 0; }
details { margin: 8px 0 14px; }
summary { cursor: pointer; color: var(--soft); }
code { font: 12.5px ui-monospace, "DejaVu Sans Mono", Menlo, monospace; overflow-wrap: anywhere; }
footer { margin-top: 48px; color: var(--soft); font-size: 13px; }
@media print {
  :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --bar: #dde6ef; --best: #0b6e4f; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  .chart, tr { break-inside: avoid; }
  .wide { overflow: visible; }
  .cell i, .swatch, .dot, .band, .bar { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace program
