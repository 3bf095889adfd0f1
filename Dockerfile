# One image: the tests run in it, Dataflow workers and trainers start from it.
# Build with: docker build --target runtime -t avinst .
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 TF_CPP_MIN_LOG_LEVEL=3
WORKDIR /opt/avinst
COPY requirements.lock ./
# Everything pinned by hash; the packages of avinst itself bring nothing else in.
RUN pip install --require-hashes -r requirements.lock
COPY setup.py pyproject.toml README.md LICENSE ./
COPY avinst avinst
COPY beam_pipelines beam_pipelines
COPY trainer trainer
COPY analysis analysis
RUN pip install --no-deps --no-build-isolation .

FROM base AS test
COPY . .
# What `make test` runs, without make and without a second virtual environment.
RUN python -m pytest -m "not slow" -q -p no:cacheprovider

FROM base AS runtime
RUN useradd --create-home --uid 1000 avinst
USER avinst
WORKDIR /home/avinst
# The image is of use only if the packages in it work together.
RUN avinst doctor
ENTRYPOINT ["avinst"]
