"""Handwritten digits in 8 x 8 pixels: 64-32-10, trained with scikit-learn.

python examples/digits.py -o digits.anne
"""

from common import main
from datasets import Data, digits
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler


def train(data: Data) -> Pipeline:
    network = MLPClassifier((32,), activation="relu", alpha=0.01, max_iter=1000, random_state=0)
    return make_pipeline(MinMaxScaler(), network).fit(data.x_train, data.y_train)


if __name__ == "__main__":
    main(digits, train)
