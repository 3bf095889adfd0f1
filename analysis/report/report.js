
"use strict";
// The page is whole without this: it draws the matrices anew so that they answer, and enlarges figures.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  // ColorBrewer's RdBu, from rho = -1 to rho = 1, as in the pictures.
  const COLOURS = ["053061", "2166ac", "4393c3", "92c5de", "d1e5f0", "f7f7f7", "fddbc7", "f4a582", "d6604d", "b2182b",
    "67001f"].map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  const MARGIN = 4; // for the names, in cells

  function make(name, properties = {}, ...children) {
    const made = document.createElement(name);
    Object.assign(made, properties);
    made.append(...children);
    return made;
  }

  function draw(parent, name, attributes, text = "") {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    parent.append(made);
    return made;
  }

  function colour(rho) {
    const place = (Math.min(Math.max(rho, -1), 1) + 1) / 2 * (COLOURS.length - 1);
    const below = Math.min(Math.floor(place), COLOURS.length - 2);
    const mixed = COLOURS[below].map((value, i) => value + (COLOURS[below + 1][i] - value) * (place - below));
    return `rgb(${mixed.map(Math.round).join(",")})`;
  }

  // --- matrices

  function untested(matrix, row, column) {
    return matrix.tested !== null && !matrix.tested[row][column];
  }

  function told(matrix, row, column) {
    const pair = `${matrix.names[row]} and ${matrix.names[column]}`;
    const rho = matrix.rho[row][column];
    if (untested(matrix, row, column)) return `${pair}\nnot tested: chosen on different halves of the recordings`;
    if (rho === null) return `${pair}\nno correlation: the same in all recordings`;
    const lines = [pair, `rho = ${rho.toFixed(3)}`];
    const [audio, visual] = [Math.min(row, column), Math.max(row, column) - matrix.audio];
    if (audio >= matrix.audio || visual < 0) {
      lines.push(row === column ? "the same feature" : "within a modality: no p-value is computed");
    } else if (matrix.p && matrix.p[audio][visual] !== null) {
      lines.push(`p = ${matrix.p[audio][visual].toPrecision(2)}, q = ${matrix.q[audio][visual].toPrecision(2)}`);
      lines.push(matrix.found[audio][visual] ? "significant after FDR correction" : "not significant");
    }
    return lines.join("\n");
  }

  function drawMatrix(figure, matrix) {
    const count = matrix.names.length;
    const size = count + MARGIN;
    const svg = document.createElementNS(SVG, "svg");
    const attributes = {viewBox: `0 0 ${size} ${size + 2.5}`, tabindex: 0, role: "application",
      "aria-label": `${figure.dataset.title}. The arrow keys show each pair.`};
    for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
    matrix.names.forEach((name, i) => {
      draw(svg, "text", {x: MARGIN - 0.3, y: MARGIN + i + 0.75, "text-anchor": "end"}, name);
      draw(svg, "text", {transform: `translate(${MARGIN + i + 0.75} ${MARGIN - 0.3}) rotate(-90)`}, name);
      matrix.rho[i].forEach((rho, j) => {
        const cell = draw(svg, "rect", {x: MARGIN + j, y: MARGIN + i, width: 1.02, height: 1.02});
        if (untested(matrix, i, j)) cell.setAttribute("class", "untested");
        else if (rho === null) cell.setAttribute("class", "dead");
        else cell.setAttribute("fill", colour(rho));
      });
    });
    matrix.found.forEach((row, i) => row.forEach((found, j) => {
      if (!found) return;
      const [x, y] = [MARGIN + matrix.audio + j + 0.5, MARGIN + i + 0.5];
      draw(svg, "circle", {cx: x, cy: y, r: 0.18, class: "found"});
      draw(svg, "circle", {cx: y, cy: x, r: 0.18, class: "found"});
    }));
    if (matrix.audio > 0 && matrix.audio < count) {
      const at = MARGIN + matrix.audio;
      draw(svg, "line", {x1: at, x2: at, y1: MARGIN, y2: size, class: "parting"});
      draw(svg, "line", {x1: MARGIN, x2: size, y1: at, y2: at, class: "parting"});
    }
    drawScale(svg, size);
    const cursor = draw(svg, "rect", {width: 1, height: 1, class: "cursor", visibility: "hidden"});
    const tip = make("div", {className: "tip"});
    tip.setAttribute("role", "status");
    let at = null;

    function show(row, column) {
      at = [Math.min(Math.max(row, 0), count - 1), Math.min(Math.max(column, 0), count - 1)];
      cursor.setAttribute("x", MARGIN + at[1]);
      cursor.setAttribute("y", MARGIN + at[0]);
      cursor.setAttribute("visibility", "visible");
      const text = told(matrix, ...at);
      if (tip.textContent !== text) tip.textContent = text;
      const cell = svg.clientWidth / size;
      const right = (MARGIN + at[1] + 1.5) * cell;
      const left = right + tip.offsetWidth <= svg.clientWidth ? right : (MARGIN + at[1] - 0.5) * cell - tip.offsetWidth;
      tip.style.left = `${Math.max(0, Math.min(left, svg.clientWidth - tip.offsetWidth))}px`;
      tip.style.top = `${(MARGIN + at[0] + 1.5) * cell}px`;
    }

    function hide() {
      tip.textContent = "";
      cursor.setAttribute("visibility", "hidden");
    }

    function point(event) {
      const box = svg.getBoundingClientRect();
      const [column, row] = [event.clientX - box.left, event.clientY - box.top].map(
        (pixels) => Math.floor(pixels / box.width * size - MARGIN));
      if (row >= 0 && column >= 0 && row < count && column < count) show(row, column);
      else if (event.pointerType === "mouse") hide();
    }

    svg.addEventListener("pointermove", point);
    svg.addEventListener("pointerdown", point);
    svg.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hide(); });
    svg.addEventListener("blur", hide);
    svg.addEventListener("focus", () => { if (svg.matches(":focus-visible")) show(...(at || [0, matrix.audio])); });
    svg.addEventListener("keydown", (event) => {
      const [row, column] = at || [0, matrix.audio];
      const moves = {ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1],
        ArrowRight: [row, column + 1], Home: [row, 0], End: [row, count - 1], PageUp: [0, column],
        PageDown: [count - 1, column]};
      if (event.key === "Escape") hide();
      if (!moves[event.key]) return;
      event.preventDefault();
      show(...moves[event.key]);
    });
    figure.prepend(svg);
    figure.append(tip);
    figure.classList.add("drawn");
  }

  function drawScale(svg, size) {
    const steps = 40;
    const width = (size - MARGIN) / 2 / steps;
    for (let step = 0; step < steps; step += 1) {
      draw(svg, "rect", {x: MARGIN + step * width, y: size + 0.5, width: width * 1.05, height: 0.6,
        fill: colour(step / (steps - 1) * 2 - 1)});
    }
    [["rho = -1", 0, "start"], ["0", 0.5, "middle"], ["1", 1, "end"]].forEach(([text, share, anchor]) => draw(svg, "text",
      {x: MARGIN + share * steps * width, y: size + 2, "text-anchor": anchor}, text));
    draw(svg, "circle", {cx: MARGIN + steps * width + 1.5, cy: size + 0.8, r: 0.18, class: "found"});
    draw(svg, "text", {x: MARGIN + steps * width + 2, y: size + 1.05}, "significant pair");
  }

  // --- enlargement

  function makeViewer() {
    const count = make("p", {className: "count"});
    const stage = make("div", {className: "stage"});
    const buttons = {Previous: -1, Next: 1};
    const bar = make("div", {className: "bar"}, count);
    const viewer = make("dialog", {}, bar, stage);
    viewer.setAttribute("aria-label", "Enlarged figure");
    let figures = [];
    let place = 0;

    function show(next) {
      place = (next + figures.length) % figures.length;
      const copies = [...figures[place].querySelectorAll("img, figcaption, .sounds")];
      stage.replaceChildren(...copies.map((copied) => copied.cloneNode(true)));
      stage.scrollTo(0, 0);
      count.textContent = `${place + 1} of ${figures.length}`;
    }

    for (const [text, step] of Object.entries(buttons)) {
      const button = make("button", {type: "button", textContent: text});
      button.addEventListener("click", () => show(place + step));
      bar.append(button);
    }
    const close = make("button", {type: "button", textContent: "Close"});
    close.addEventListener("click", () => viewer.close());
    bar.append(close);
    viewer.addEventListener("close", () => stage.replaceChildren()); // ends what is playing
    viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
    viewer.addEventListener("keydown", (event) => {
      if (event.target.matches("audio")) return; // its own keys seek
      if (event.key === "ArrowLeft") show(place - 1);
      if (event.key === "ArrowRight") show(place + 1);
    });
    document.body.append(viewer);
    return (figure) => {
      figures = [...figure.closest("section").querySelectorAll(":scope > figure.enlarge, :scope > div figure.enlarge, " +
        ":scope > details figure.enlarge")];
      for (const button of bar.querySelectorAll("button")) {
        button.hidden = figures.length < 2 && button !== close;
      }
      show(figures.indexOf(figure));
      viewer.showModal();
      close.focus();
    };
  }

  function enlargeable(figure, view) {
    for (const image of figure.querySelectorAll(":scope > img")) {
      const button = make("button", {type: "button", className: "zoom"});
      button.setAttribute("aria-label", `Enlarge: ${image.alt}`);
      button.addEventListener("click", () => view(figure));
      image.replaceWith(button);
      button.append(image);
    }
    if (figure.dataset.matrix !== undefined) {
      const button = make("button", {type: "button", className: "zoomable", textContent: "Enlarge as a picture"});
      button.addEventListener("click", () => view(figure));
      figure.append(button);
    }
  }

  // --- start

  const matrices = JSON.parse(document.getElementById("matrices").textContent);
  const waiting = new IntersectionObserver((entries) => {
    for (const {isIntersecting, target} of entries) {
      if (!isIntersecting) continue;
      waiting.unobserve(target);
      drawMatrix(target, matrices[target.dataset.matrix]);
    }
  }, {rootMargin: "800px"});
  const view = makeViewer();
  for (const figure of document.querySelectorAll("figure.enlarge")) enlargeable(figure, view);
  for (const figure of document.querySelectorAll("figure[data-matrix]")) waiting.observe(figure);

  // A link to a folded label shows it.
  function unfold() {
    const part = document.getElementById(location.hash.slice(1))?.querySelector(":scope > details");
    if (!part || part.open) return;
    part.open = true;
    part.scrollIntoView();
  }
  addEventListener("hashchange", unfold);
  unfold();

  // One sound at a time.
  document.addEventListener("play", (event) => {
    for (const sound of document.querySelectorAll("audio")) if (sound !== event.target) sound.pause();
  }, true);

  // Everything is printed, folded or not.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const part of folded) part.open = true;
  });
  addEventListener("afterprint", () => { for (const part of folded) part.open = false; });
})();
