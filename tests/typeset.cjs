// Sets displays (a JSON list on standard input) by MathJax 4, MathJax 3 or KaTeX, as notebooks do,
// and prints what each says of each: a JSON list of messages, empty where it was set.
const program = process.argv[2];

const fail = (_, error) => { throw error; };

async function mathjax4() {
  const MathJax = require("mathjax");
  await MathJax.init({
    loader: { load: ["input/tex", "output/svg"] },
    startup: { typeset: false },
    tex: { packages: { "[-]": ["noundefined", "noerrors"] }, formatError: fail },
  });
  return async (display) => {
    await MathJax.tex2svgPromise(display, { display: true });
  };
}

function mathjax3() {
  const { mathjax } = require("mathjax-full/js/mathjax.js");
  const { TeX } = require("mathjax-full/js/input/tex.js");
  const { SVG } = require("mathjax-full/js/output/svg.js");
  const { liteAdaptor } = require("mathjax-full/js/adaptors/liteAdaptor.js");
  const { RegisterHTMLHandler } = require("mathjax-full/js/handlers/html.js");
  require("mathjax-full/js/input/tex/AllPackages.js");
  RegisterHTMLHandler(liteAdaptor());
  const InputJax = new TeX({ packages: ["base", "ams", "newcommand"], formatError: fail });
  const page = mathjax.document("", { InputJax, OutputJax: new SVG() });
  return (display) => page.convert(display, { display: true });
}

function katex() {
  const { renderToString } = require("katex");
  return (display) => renderToString(display, { displayMode: true, throwOnError: true, strict: "error" });
}

(async () => {
  const set = await { mathjax4, mathjax3, katex }[program]();
  const displays = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const said = [];
  for (const display of displays) {
    try {
      await set(display);
      said.push("");
    } catch (error) {
      said.push(String(error.message));
    }
  }
  process.stdout.write(JSON.stringify(said), () => process.exit(0));
})();
