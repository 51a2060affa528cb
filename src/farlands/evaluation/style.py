"""How a report's page looks: one style sheet, light and dark, for screens of any width and for paper."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf7; --card: #ffffff; --ink: #1d2329; --soft: #5b6570; --rule: #e2dfd8;
  --c0: #1f6f5c; --c1: #b5651d; --c2: #3b5fa8; --c3: #8a3f7c; --c4: #5b7f1b; --c5: #a33a3a; --c6: #3a8fa3;
  --c7: #77706a; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181b; --card: #1c2226; --ink: #e6e9eb; --soft: #9aa5ae; --rule: #30383e;
    --c0: #5cc4a6; --c1: #e79b58; --c2: #8fb0f0; --c3: #d592c8; --c4: #a5cb63; --c5: #ec8d8d; --c6: #7fcfe2;
  --c7: #b5aea8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 2.2rem 1.1rem 4rem; }
header p { color: var(--soft); margin: 0; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; text-wrap: balance; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.8rem 0 .3rem; }
h3 { font-size: 1rem; margin: 0 0 .2rem; }
p { margin: .4rem 0; max-width: 46rem; }
.lead { font-size: 1.08rem; margin-top: 1.1rem; }
.soft, figcaption, caption, small { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: .8rem; margin: 1.4rem 0;
  padding: 0; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: .8rem 1rem; }
.card dt { color: var(--soft); font-size: .88rem; }
.card dd { margin: 0; }
.card .big { font-size: 1.7rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
.card .range, .card .versus { font-size: .85rem; color: var(--soft); font-variant-numeric: tabular-nums; }
.grid2 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 1rem;
  margin-top: .9rem; }
.grid3 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 270px), 1fr)); gap: 1rem;
  margin-top: .9rem; }
figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: .9rem 1rem; min-width: 0; }
figcaption { font-size: .88rem; line-height: 1.45; margin-top: .35rem; }
svg { display: block; width: 100%; height: auto; }
video { display: block; width: 100%; aspect-ratio: 4 / 3; border-radius: 6px; background: #000; }
.grid { stroke: var(--rule); stroke-width: 1; }
.axis { stroke: var(--soft); stroke-width: 1; fill: none; }
.never { font-size: .88rem; }
.tick { fill: var(--soft); font-size: 12px; } .label { fill: var(--ink); font-size: 12.5px; }
.line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
.band { fill: var(--c); opacity: .17; } .dot { fill: var(--c); }
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); }
.c4 { --c: var(--c4); } .c5 { --c: var(--c5); } .c6 { --c: var(--c6); } .c7 { --c: var(--c7); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1rem; padding: 0; margin: .35rem 0 0;
  font-size: .85rem; }
.swatch { display: inline-block; width: 1.1em; height: .28em; border-radius: 2px; background: var(--c);
  margin-right: .4em; vertical-align: .22em; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  margin-top: .9rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .7rem .9rem .2rem; font-size: .88rem; }
th, td { text-align: left; padding: .36rem .9rem; border-top: 1px solid var(--rule); vertical-align: middle; }
thead th, thead td { border-top: 0; }
thead th { font-weight: 600; color: var(--soft); font-size: .85rem; }
tbody th { font-weight: 500; }
.names th, .names small, .range { white-space: nowrap; }
td .range { color: var(--soft); font-size: .92em; }
td.n, th.n { text-align: right; white-space: nowrap; }
.bars { min-width: 150px; width: 30%; }
.bar { position: relative; height: 9px; margin: 2px 0;
  background: color-mix(in srgb, var(--rule) 55%, transparent); border-radius: 3px; }
.bar b { position: absolute; left: 0; top: 0; bottom: 0; background: var(--c); border-radius: 3px; min-width: 1px; }
.bar i { position: absolute; top: 3.5px; height: 2px; background: var(--ink); opacity: .75; min-width: 2px; }
details { margin-top: .8rem; } summary { cursor: pointer; font-weight: 550; padding: .2rem 0; }
pre { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: .8rem 1rem;
  overflow-x: auto; font-size: .85rem;
  line-height: 1.5; }
code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
dl.facts { display: grid; grid-template-columns: minmax(9rem, auto) 1fr; gap: .15rem 1.2rem; margin: .6rem 0;
  font-size: .92rem; }
dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 560px) { h1 { font-size: 1.5rem; } th, td { padding: .34rem .55rem; }
  .card .big { font-size: 1.45rem; }
  .cards { grid-template-columns: repeat(2, 1fr); } td.n, .names th, th.n { white-space: normal; }
  td .range { display: block; font-size: .82em; }
  .bars { min-width: 90px; width: auto; } dl.facts { grid-template-columns: 1fr; }
  dl.facts dd { margin-bottom: .4rem; } }
@media print { .card, figure, .scroll, pre { break-inside: avoid; } details > * { display: block; } }
"""
