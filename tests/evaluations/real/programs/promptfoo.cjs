// A provider of promptfoo that answers each question as cases.json says, without a network.
const fs = require("node:fs");

const cases = JSON.parse(fs.readFileSync("cases.json", "utf8"));

module.exports = class {
  id() {
    return "stated-answers";
  }

  async callApi(prompt) {
    const one = cases.find((each) => each.question === prompt);
    if (one.error) throw new Error(one.error);
    return { output: one.output };
  }
};
