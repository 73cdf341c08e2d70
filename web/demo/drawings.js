// Three pictures to begin with, drawn here, so that none need be fetched.

/** @typedef {CanvasRenderingContext2D} Pen */

/** @type {(pen: Pen, colour: string, ...points: [number, number][]) => void} */
function shape(pen, colour, ...points) {
  pen.fillStyle = colour;
  pen.beginPath();
  for (const [x, y] of points) pen.lineTo(x, y);
  pen.fill();
}

/** @type {(pen: Pen, colour: string, x: number, y: number, radius: number) => void} */
function disc(pen, colour, x, y, radius) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}

/** @type {(pen: Pen, top: string, bottom: string, from: number, to: number) => void} */
function ground(pen, top, bottom, from, to) {
  const colours = pen.createLinearGradient(0, from, 0, to);
  colours.addColorStop(0, top);
  colours.addColorStop(1, bottom);
  pen.fillStyle = colours;
  pen.fillRect(0, from, 480, to - from);
}

/** On 480 x 480 pixels. @type {Record<string, (pen: Pen) => void>} */
export const drawings = {
  ship(pen) {
    ground(pen, "#a9c9e8", "#dfeaf3", 0, 300);
    ground(pen, "#2d5f8f", "#173a5e", 300, 480);
    shape(pen, "#8c2f2a", [60, 270], [420, 270], [375, 350], [110, 350]);
    shape(pen, "#20262d", [50, 240], [430, 240], [420, 272], [60, 272]);
    shape(pen, "#f4f4f0", [130, 180], [350, 180], [350, 240], [130, 240]);
    shape(pen, "#f4f4f0", [170, 130], [300, 130], [300, 180], [170, 180]);
    shape(pen, "#c9432f", [210, 70], [250, 70], [250, 130], [210, 130]);
    for (let x = 150; x < 340; x += 32) disc(pen, "#33465a", x, 210, 8);
  },
  airplane(pen) {
    ground(pen, "#5b9ad6", "#cfe3f5", 0, 480);
    shape(pen, "#e9edf1", [60, 250], [110, 225], [390, 215], [430, 240], [390, 262], [110, 268]);
    shape(pen, "#b9c3ce", [210, 240], [270, 240], [200, 370], [165, 370]);
    shape(pen, "#cfd6de", [230, 222], [280, 220], [225, 130], [195, 130]);
    shape(pen, "#2c5fa3", [75, 238], [120, 232], [85, 165], [55, 165]);
    for (let x = 150; x < 370; x += 24) disc(pen, "#4a5a6b", x, 236, 5);
  },
  truck(pen) {
    ground(pen, "#c4d6e6", "#e8eef2", 0, 330);
    ground(pen, "#7c8087", "#5d6167", 330, 480);
    shape(pen, "#f2f2ee", [40, 130], [300, 130], [300, 340], [40, 340]);
    shape(pen, "#c8372d", [300, 190], [390, 190], [435, 260], [435, 340], [300, 340]);
    shape(pen, "#23303d", [325, 205], [382, 205], [412, 258], [325, 258]);
    shape(pen, "#3a3f45", [40, 335], [440, 335], [440, 352], [40, 352]);
    for (const x of [110, 180, 375]) {
      disc(pen, "#1d2024", x, 358, 36);
      disc(pen, "#b9bec4", x, 358, 16);
    }
  },
};
