// Without a font for mathematics, browsers leave indices on the line: the style then lowers them.
for (const place of document.querySelectorAll("math msub")) {
  const [base, index] = [...place.children].map((part) => part.getBoundingClientRect());
  if (index.height === 0) continue;
  if (index.bottom <= base.bottom + 1) document.documentElement.classList.add("no-math-font");
  break;
}

// What is wider than its place says so: on phones no bar shows that it can be moved.
function tellWhatIsWider() {
  for (const place of document.querySelectorAll(".scroll, .formulas")) {
    // What need not be moved is no stop of the keyboard's.
    const wider = place.scrollWidth > place.clientWidth + 1;
    if (wider) place.tabIndex = 0;
    else place.removeAttribute("tabindex");
    const next = place.nextElementSibling;
    const told = next?.matches(".more") ? next : document.createElement("p");
    if (told !== next) {
      told.className = "more";
      told.textContent = "Wider than the screen: move it sideways.";
      place.after(told);
    }
    told.hidden = !wider;
  }
}
tellWhatIsWider();
addEventListener("resize", tellWhatIsWider);
const numbers = document.getElementById("results"); // which are longer or shorter at another point
if (numbers) new MutationObserver(tellWhatIsWider).observe(numbers, { childList: true, subtree: true });

// Buttons that copy what is written above each text; without scripts the texts are there to select.
for (const place of document.querySelectorAll(".copy")) {
  const text = place.querySelector("pre").textContent;
  const what = place.querySelector("h3")?.textContent ?? "text";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `Copy ${what}`;
  const told = document.createElement("span");
  told.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      told.textContent = "copied";
    } catch {
      // Pages opened from a disk may not write to the clipboard: the text is selected instead.
      const range = document.createRange();
      range.selectNodeContents(place.querySelector("pre"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      told.textContent = "selected: copy it with Ctrl+C";
    }
    setTimeout(() => { told.textContent = ""; }, 4000);
  });
  const first = place.parentElement.matches("details.copies") ? place : null;
  place.querySelector("pre").before(button, told);
  if (first === null) continue;
  // A second button that needs no unfolding.
  const bar = place.parentElement.previousElementSibling.matches(".bar")
    ? place.parentElement.previousElementSibling
    : place.parentElement.parentElement.insertBefore(
        Object.assign(document.createElement("div"), { className: "bar" }), place.parentElement);
  const outer = button.cloneNode(true);
  outer.addEventListener("click", () => {
    place.parentElement.open ||= !navigator.clipboard;
    button.click();
    const before = outer.textContent;
    outer.textContent = "Copied";
    setTimeout(() => { outer.textContent = before; }, 1500);
  });
  bar.append(outer);
}
