"""Three cultivars of wine from 13 chemical measures: 13-16-3 with tanh, trained with scikit-learn.

The measures are of very different size, so their scaling matters: the report says how it went into the file.

python examples/wine.py -o wine.anne
"""

from common import main
from datasets import Data, wine
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def train(data: Data) -> Pipeline:
    network = MLPClassifier(
        (16,), activation="tanh", solver="lbfgs", alpha=0.1, max_iter=1000, random_state=0
    )
    return make_pipeline(StandardScaler(), network).fit(data.x_train, data.y_train)


if __name__ == "__main__":
    main(wine, train)
