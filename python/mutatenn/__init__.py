"""MutateNN: mutation analysis of neural networks compiled by TVM.

The program itself is C++ (`bin/mutatenn`); Python holds its launcher and the front-end child
(`frontend.py`), which speaks to the parts of TVM that exist in Python only.
"""
