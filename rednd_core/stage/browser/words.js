// What the stage says of its steps and of its maps.

const PCA_NOTE = "A cloud that shrinks is a layer whose vectors grow alike.";
const UMAP_NOTE = "UMAP draws who is next to whom. It stretches what lies close together, so it can hide a collapse.";
// By the name of the axis.
const WORDS = {
  depth: {
    pca: "PCA · same axes at every depth", umap: "UMAP · one layout for all depths",
    slider: "Depth: how many times the vectors are mixed with their neighbours",
    beyond: "beyond the trained depth", at: "as deep as it was trained",
    ended: (last) => `Its ${last} layers are all that it has. `,
  },
  epoch: {
    pca: "PCA · same axes at every epoch", umap: "UMAP · one layout for all epochs",
    slider: "Epoch: how many times the training has gone through all interactions",
    beyond: "after the best epoch, whose model is kept", at: "the best epoch",
    ended: (last) => `Its last snapshot is that of epoch ${last}. `,
  },
};
