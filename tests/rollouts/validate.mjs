// Reads JSON, a list of manifests of Argo Rollouts; writes a list: what is wrong with each, or null.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const kinds = createRequire(import.meta.url)("@kubernetes-models/argo-rollouts/argoproj.io/v1alpha1");

function mistake(manifest) {
  try {
    new kinds[manifest.kind](manifest).validate();
    return null;
  } catch (error) {
    return String(error);
  }
}

console.log(JSON.stringify(JSON.parse(await text(process.stdin)).map(mistake)));
