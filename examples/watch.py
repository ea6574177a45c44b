"""What someone does, from a smart watch's accelerometer and gyroscope: 18 features, 18-12-4, trained with scikit-learn.

python examples/watch.py -o watch.anne
"""

from common import main
from datasets import Data, watch
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def train(data: Data) -> Pipeline:
    network = MLPClassifier(
        (12,), activation="relu", solver="lbfgs", alpha=1.0, max_iter=1000, random_state=0
    )
    return make_pipeline(StandardScaler(), network).fit(data.x_train, data.y_train)


if __name__ == "__main__":
    main(watch, train)
