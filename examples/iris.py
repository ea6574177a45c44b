"""Three species of iris from four measures: a network of 4-8-3, trained with scikit-learn.

python examples/iris.py -o iris.anne
"""

from common import main
from datasets import Data, iris
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def train(data: Data) -> Pipeline:
    # The scaler becomes part of the model file: the Pico takes centimetres.
    network = MLPClassifier((8,), activation="relu", solver="lbfgs", alpha=0.1, max_iter=1000, random_state=0)
    return make_pipeline(StandardScaler(), network).fit(data.x_train, data.y_train)


if __name__ == "__main__":
    main(iris, train)
