/** The page's looks: its own, for nothing is loaded. */
import { CHART_FONT, colours, FONT } from "./chart.ts";

export const PAGE_STYLE: string = `
:root{color-scheme:light dark}
${colours(":root")}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 ${FONT}}
main{max-width:1160px;margin:0 auto;padding:24px 20px 60px}
h1{font-size:26px;margin:0 0 4px}
h2{font-size:20px;margin:44px 0 10px;border-bottom:1px solid var(--grid);padding-bottom:4px}
h3{font-size:16px;margin:26px 0 6px}
h4{font-size:15px;margin:22px 0 4px;overflow-wrap:anywhere}
p{margin:6px 0;max-width:76ch}
a{color:var(--win)}
.soft{color:var(--soft)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;margin:12px 0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
nav ul{display:flex;flex-wrap:wrap;gap:4px 18px;padding:0;list-style:none;margin:12px 0}
.wide{overflow-x:auto}
.wide:focus-visible{outline:2px solid var(--win);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding:0 0 4px}
th,td{text-align:left;vertical-align:top;padding:4px 10px 4px 0;border-bottom:1px solid var(--grid)}
thead th{color:var(--soft);font-weight:normal;white-space:nowrap;vertical-align:bottom}
tbody th{font-weight:normal}
td.n,th.n{text-align:right;white-space:nowrap}
td.n+td:not(.n),th.n+th:not(.n){padding-left:10px}
.peers{width:auto}
.name{overflow-wrap:break-word;min-width:14em}
.ours{font-weight:600}
.lose{color:var(--lose);font-weight:600}
.met{color:var(--win);font-weight:600}
.missed{color:var(--lose);font-weight:600}
.digest{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12px;overflow-wrap:anywhere}
${CHART_FONT}
figure{margin:10px 0;overflow-x:auto}
svg.chart{display:block;width:100%;max-width:1000px;min-width:640px;height:auto}
@media (max-width:600px){main{padding:16px 12px 40px}dl{grid-template-columns:1fr;gap:0}dd{margin:0 0 6px}h1{font-size:22px}}
@media print{main{max-width:none;padding:0}nav{display:none}table{font-size:10px}figure,tr{break-inside:avoid}h2,h3,h4{break-after:avoid}.wide,figure{overflow:visible}svg.chart{min-width:0}}
`;
